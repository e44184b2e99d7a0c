import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { canonicalJson, createUuidV8, hashParts, openSecret, sealSecret } from "../../src/credentials/idempotency.js";

/** 00 01 02 ... 1f, as the values below were computed by another implementation. */
const KEY = Buffer.from(Array.from({ length: 32 }, (_, index) => index));
const OTHER_KEY = Buffer.alloc(32, 1);
const NONCE = KEY.subarray(0, 12);
const SECRET = "lk_v1_secret";
/** SECRET for "request-1" and "key-1". */
const SEALED_HEX = "bfbefa0e61a36b6625c60ed49bdc58aff04254d7dc8c16e2de76f72e";

describe("the hash of a list of texts", () => {
  test.each([
    [["a", "é", ""], "c22490c807bc8067b34998733c5b23e5d9b46946fd055922a1c1b74369afa5da"],
    [[], "d38b42096d80f45f826b44a9d5607de72496a415d3f4a1a8c88e3bb9da8dc1cb"],
  ])("of %j is HMAC-SHA-256 over lengths and bytes", (parts, hex) => {
    expect(hashParts(KEY, parts).toString("hex")).toBe(hex);
  });

  test("is another one for any other list, and for any other key", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "é", "\u0000"), maxLength: 3 });
    const list = fc.array(text, { maxLength: 3 });
    fc.assert(
      fc.property(list, list, (a, b) => {
        const isSame = hashParts(KEY, a).equals(hashParts(KEY, b));
        expect(isSame).toBe(JSON.stringify(a) === JSON.stringify(b));
        expect(hashParts(OTHER_KEY, a).equals(hashParts(KEY, a))).toBe(false);
      }),
      { seed: 1, numRuns: 1_000 },
    );
  });
});

describe("a UUID of a hash", () => {
  test.each([
    ["d38b42096d80f45f826b44a9d5607de72496a415d3f4a1a8c88e3bb9da8dc1cb", "d38b4209-6d80-845f-826b-44a9d5607de7"],
    ["00".repeat(32), "00000000-0000-8000-8000-000000000000"],
    ["ff".repeat(32), "ffffffff-ffff-8fff-bfff-ffffffffffff"],
  ])("is its first 16 bytes, with version 8: %s", (hex, uuid) => {
    const hash = Buffer.from(hex, "hex");
    expect(createUuidV8(hash)).toBe(uuid);
    expect(hash.toString("hex")).toBe(hex);
  });
});

describe("canonical JSON", () => {
  test("has the members of every object in order, and leaves lists as they are", () => {
    expect(canonicalJson({ b: [2, 1, { d: null, c: "x" }], a: true, "": 1.5, é: 0, B: "\u2028\n" })).toBe(
      '{"":1.5,"B":"\u2028\\n","a":true,"b":[2,1,{"c":"x","d":null}],"é":0}',
    );
  });

  test("says what JSON cannot: nothing as null, a large integer as its text", () => {
    expect(canonicalJson(undefined)).toBe("null");
    expect(canonicalJson({ a: undefined, b: [undefined] })).toBe('{"a":null,"b":[null]}');
    expect(canonicalJson(2n ** 63n - 1n)).toBe('"9223372036854775807"');
  });

  test("is JSON of the same value, whatever the order of the members was", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(turnRound(value))).toBe(text);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test.each([
    [
      [1, 2],
      [2, 1],
    ],
    [{ a: 1 }, { a: "1" }],
    [{ a: [] }, { a: {} }],
    [["a,b"], ["a", "b"]],
    [{ a: 1, b: 2 }, { "a:1,b": 2 }],
  ])("tells %j from %j", (one, other) => {
    expect(canonicalJson(one)).not.toBe(canonicalJson(other));
  });
});

/** The same value, with the members of every object the other way round. */
function turnRound(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turnRound);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).reverse();
  return Object.fromEntries(members.map(([name, item]) => [name, turnRound(item)]));
}

describe("a sealed secret", () => {
  const box = sealSecret(KEY, "request-1", "key-1", SECRET, NONCE);

  test("is the nonce, AES-256-GCM of the text, and the tag", () => {
    expect(box.toString("hex")).toBe(`${NONCE.toString("hex")}${SEALED_HEX}`);
  });

  test("opens with one of the keys, for the same request and the same key", () => {
    expect(openSecret([KEY], "request-1", "key-1", box)).toBe(SECRET);
    expect(openSecret([OTHER_KEY, KEY], "request-1", "key-1", box)).toBe(SECRET);
    expect(openSecret([OTHER_KEY], "request-1", "key-1", box)).toBeUndefined();
    expect(openSecret([], "request-1", "key-1", box)).toBeUndefined();
    expect(openSecret([KEY], "request-2", "key-1", box)).toBeUndefined();
    expect(openSecret([KEY], "request-1", "key-2", box)).toBeUndefined();
    expect(openSecret([KEY], "key-1", "request-1", box)).toBeUndefined();
  });

  test("of which a bit is changed, or a part is missing, does not open", () => {
    for (let bit = 0; bit < box.length * 8; bit++) {
      const changed = Buffer.from(box);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(openSecret([KEY], "request-1", "key-1", changed)).toBeUndefined();
    }
    for (let length = 0; length < box.length; length++) {
      expect(openSecret([KEY], "request-1", "key-1", box.subarray(0, length))).toBeUndefined();
    }
  });

  test("comes back as it was, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ maxLength: 36 }), (secret, requestId) => {
        const sealed = sealSecret(KEY, requestId, "key-1", secret, NONCE);
        expect(openSecret([KEY], requestId, "key-1", sealed)).toBe(secret);
      }),
      { seed: 1 },
    );
  });
});
