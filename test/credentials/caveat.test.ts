import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { type Caveat, parseCaveat } from "../../src/credentials/caveat.js";

describe("a caveat", () => {
  test.each<[string, Caveat]>([
    ["exp <= 1700000000", { kind: "exp", expireTime: new Date(1_700_000_000_000) }],
    ["exp <= 0", { kind: "exp", expireTime: new Date(0) }],
    ["exp <= 253402300799", { kind: "exp", expireTime: new Date("9999-12-31T23:59:59Z") }],
    ['scp subset ["a","b"]', { kind: "scp", scopes: ["a", "b"] }],
    ['scp subset ["a", "\\u0062"]', { kind: "scp", scopes: ["a", "b"] }],
    ['scp subset [ "a" , "a\u00e9\u{1f44d}" ]', { kind: "scp", scopes: ["a", "a\u00e9\u{1f44d}"] }],
    ["scp subset []", { kind: "scp", scopes: [] }],
    ['scp subset [\n"a"\n]', { kind: "scp", scopes: ["a"] }],
    ['acl subset ["10.0.0.0/8"]', { kind: "acl", cidrs: ["10.0.0.0/8"] }],
    ["acl subset []", { kind: "acl", cidrs: [] }],
    ['acl subset ["anything"]', { kind: "acl", cidrs: ["anything"] }],
  ])("%j is understood", (text, caveat) => {
    expect(parseCaveat(Buffer.from(text))).toEqual(caveat);
  });

  test.each([
    ...["", "exp", "exp <= ", "exp <=1700000000", "exp <=  1700000000", " exp <= 1", "exp <= 1 ", "exp <= 1\n"],
    ...["exp <= -1", "exp <= +1", "exp <= 01", "exp <= 1.5", "exp <= 1e3", "exp <= 0x1", "exp <= 1_0", "exp < 1"],
    ...["exp <= 253402300800", "exp <= 1700000000000", "exp <= \u0661", "EXP <= 1", "exp >= 1", "exp <= 1, exp <= 2"],
    ...["scp subset", "scp subset ", 'scp subset  ["a"]', ' scp subset ["a"]', 'scp subset ["a"] ', 'scp subset["a"]'],
    ...['scp subset ["a"]\n', 'scp subset\n["a"]', 'scp\tsubset ["a"]', "scp subset ['a']", 'scp subset ["a",]'],
    ...[
      "scp subset [1]",
      "scp subset [null]",
      'scp subset [["a"]]',
      'scp subset "a"',
      "scp subset {}",
      "scp subset [a]",
    ],
    ...['scp subset ["a"]["b"]', 'Scp subset ["a"]', 'scp superset ["a"]', 'scp ["a"]', 'aud subset ["a"]'],
    ...["acl subset 10.0.0.0/8", 'acl subset {"0": "10.0.0.0/8"}', "account = 3735928559", "\ufeffexp <= 1"],
  ])("%j is unknown", (text) => {
    expect(parseCaveat(Buffer.from(text))).toEqual({ kind: "unknown" });
  });

  test("lists at most 128", () => {
    const subset = (length: number) => Buffer.from(`scp subset ${JSON.stringify(Array(length).fill("a"))}`);
    expect(parseCaveat(subset(128))).toMatchObject({ kind: "scp" });
    expect(parseCaveat(subset(129))).toEqual({ kind: "unknown" });
  });

  test("that is not UTF-8 is unknown", () => {
    expect(parseCaveat(Buffer.from('scp subset ["\u00ff"]', "latin1"))).toEqual({ kind: "unknown" });
  });

  test("may be any bytes", () => {
    const start = fc.constantFrom("", "exp <= ", "scp subset ", "acl subset [");
    fc.assert(
      fc.property(start, fc.uint8Array(), (text, bytes) => {
        expect(["exp", "scp", "acl", "unknown"]).toContain(parseCaveat(Buffer.concat([Buffer.from(text), bytes])).kind);
      }),
      { seed: 1 },
    );
  });
});
