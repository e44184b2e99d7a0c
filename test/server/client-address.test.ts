import { describe, expect, test } from "@jest/globals";
import { type ClientAddressSource, createClientAddressReader } from "../../src/server/client-address.js";

const PROXIES = ["10.0.0.0/8", "192.0.2.7", "2001:db8:aaaa::/48", "fd00::1"];
const PROXY = "10.0.0.1";
const STRANGER = "203.0.113.9";

function reader(source: ClientAddressSource, trustedProxies: readonly string[] = PROXIES) {
  return createClientAddressReader({ source, trustedProxies });
}

describe("remote_addr", () => {
  test.each([
    ["203.0.113.9", "203.0.113.9"],
    ["::ffff:203.0.113.9", "203.0.113.9"],
    ["0:0:0:0:0:FFFF:CB00:7109", "203.0.113.9"],
    ["2001:DB8::0:1", "2001:db8::1"],
    ["::1", "::1"],
    ["fe80::1%eth0", "fe80::1"],
    [undefined, undefined],
    ["", undefined],
    ["somewhere", undefined],
  ])("%j is %j", (peer, expected) => {
    expect(reader("remote_addr", [])({}, peer)).toBe(expected);
  });

  test("reads no header, not even of a proxy", () => {
    const headers = { "x-forwarded-for": "198.51.100.1", "x-real-ip": "198.51.100.1" };
    expect(reader("remote_addr")(headers, PROXY)).toBe(PROXY);
  });
});

const HEADERS: [ClientAddressSource, string][] = [
  ["x_forwarded_for", "x-forwarded-for"],
  ["x_real_ip", "x-real-ip"],
  ["cf_connecting_ip", "cf-connecting-ip"],
  ["true_client_ip", "true-client-ip"],
];

describe.each(HEADERS)("%s", (source, header) => {
  const read = reader(source);

  test.each([
    "10.0.0.1",
    "10.255.255.255",
    "::ffff:10.0.0.1",
    "192.0.2.7",
    "2001:db8:aaaa:1::1",
    "fd00::1",
    "fd00::1%eth0",
  ])("is believed of the proxy %s", (peer) => {
    expect(read({ [header]: "198.51.100.1" }, peer)).toBe("198.51.100.1");
  });

  test.each([
    ["11.0.0.1", "11.0.0.1"],
    ["::ffff:11.0.0.1", "11.0.0.1"],
    ["192.0.2.8", "192.0.2.8"],
    ["2001:db8:aaab::1", "2001:db8:aaab::1"],
    ["fd00::2", "fd00::2"],
    ["::10.0.0.1", "::10.0.0.1"],
  ])("is not believed of %s, whose address counts", (peer, expected) => {
    expect(read({ [header]: "198.51.100.1" }, peer)).toBe(expected);
  });

  test.each([undefined, "", "pipe"])("says nothing when the peer is %j", (peer) => {
    expect(read({ [header]: "198.51.100.1" }, peer)).toBeUndefined();
  });

  test.each([
    ["198.51.100.1", "198.51.100.1"],
    [" 198.51.100.1\t", "198.51.100.1"],
    ["::ffff:198.51.100.1", "198.51.100.1"],
    ["::FFFF:C633:6401", "198.51.100.1"],
    ["2001:DB8:0:0::1", "2001:db8::1"],
  ])("%j is %j", (value, expected) => {
    expect(read({ [header]: value }, PROXY)).toBe(expected);
  });

  test.each([
    "",
    " ",
    "unknown",
    "_hidden",
    "198.51.100",
    "198.51.100.256",
    "0198.51.100.1",
    "0x7f.0.0.1",
    "2130706433",
    "198.51.100.1/32",
    "198.51.100.1 198.51.100.2",
    "198.51.100.1;",
    '"198.51.100.1"',
    "for=198.51.100.1",
    "fe80::1%eth0",
    "2001:db8::1::",
    "[198.51.100.1",
    "[]",
    "client.example.com",
    "198.51.100.1\u0000",
  ])("%j is no address: nothing is known", (value) => {
    expect(read({ [header]: value }, PROXY)).toBeUndefined();
  });

  test("is missing: nothing is known, and the proxy is not taken for the client", () => {
    expect(read({}, PROXY)).toBeUndefined();
  });

  test("is not taken from another header", () => {
    const others = HEADERS.filter(([, name]) => name !== header).map(([, name]) => [name, "198.51.100.1"]);
    expect(read(Object.fromEntries(others), PROXY)).toBeUndefined();
  });

  test("believes nobody when no proxy is trusted", () => {
    expect(reader(source, [])({ [header]: "198.51.100.1" }, PROXY)).toBe(PROXY);
  });
});

describe("x_forwarded_for", () => {
  const read = (value: string | string[], peer = PROXY) =>
    reader("x_forwarded_for")({ "x-forwarded-for": value } as Record<string, string>, peer);

  test.each([
    ["198.51.100.1, 10.0.0.2", "198.51.100.1"],
    ["198.51.100.1,10.0.0.3,192.0.2.7,2001:db8:aaaa::5,::ffff:10.0.0.2", "198.51.100.1"],
    ["2001:db8::9, fd00::1", "2001:db8::9"],
    ["198.51.100.1 ,\t10.0.0.2 ", "198.51.100.1"],
  ])("%j: the client is the first from the right that is no proxy", (value, expected) => {
    expect(read(value)).toBe(expected);
  });

  test.each([
    ["127.0.0.1, 203.0.113.9"],
    ["10.0.0.9, 203.0.113.9"],
    ["198.51.100.1, 203.0.113.9, 10.0.0.2"],
    ["unknown, 203.0.113.9"],
    [", 203.0.113.9"],
    ["198.51.100.1, , garbage, 203.0.113.9:4711, 10.0.0.2:80"],
  ])("%j: what a client put to the left changes nothing", (value) => {
    expect(read(value)).toBe(STRANGER);
  });

  test.each([
    ["10.0.0.3", "10.0.0.3"],
    ["10.0.0.4, 10.0.0.3, 10.0.0.2", "10.0.0.4"],
    ["fd00::1, ::ffff:10.0.0.2", "fd00::1"],
  ])("%j: all are proxies, so the call began at the leftmost", (value, expected) => {
    expect(read(value)).toBe(expected);
  });

  test.each([
    ["198.51.100.1, unknown"],
    ["198.51.100.1, unknown, 10.0.0.2"],
    ["198.51.100.1,"],
    ["198.51.100.1,,10.0.0.2"],
    ["unknown, 10.0.0.2"],
    [", 10.0.0.2"],
    [","],
  ])("%j: an entry that counts and is no address leaves nothing known", (value) => {
    expect(read(value)).toBeUndefined();
  });

  test.each([
    ["198.51.100.1:5678", "198.51.100.1"],
    ["[2001:db8::9]:80", "2001:db8::9"],
    ["[2001:db8::9]", "2001:db8::9"],
    ["[::ffff:198.51.100.1]:80", "198.51.100.1"],
    ["198.51.100.1:5678, 10.0.0.2:80, [fd00::1]:443", "198.51.100.1"],
    ["198.51.100.1:", undefined],
    ["198.51.100.1:port", undefined],
    ["198.51.100.1:123456", undefined],
    ["[2001:db8::9]:", undefined],
    ["[2001:db8::9]80", undefined],
    ["[2001:db8::9%1]:80", undefined],
    ["client.example.com:80", undefined],
    [":80", undefined],
  ])("%j: a port does not count, so it is %j", (value, expected) => {
    expect(read(value)).toBe(expected);
  });

  test("several lines are one list, in their order", () => {
    expect(read(["198.51.100.1", "203.0.113.9, 10.0.0.3", "10.0.0.2"])).toBe(STRANGER);
    expect(read(["203.0.113.9", "10.0.0.2"])).toBe(STRANGER);
    expect(read(["203.0.113.9", ""])).toBeUndefined();
    expect(read([])).toBeUndefined();
  });

  test("as many entries as headers may hold are walked", () => {
    const proxies = Array.from({ length: 1_500 }, (_, index) => `10.1.${index >> 8}.${index & 255}`);
    expect(read([STRANGER, ...proxies].join(","))).toBe(STRANGER);
    expect(read(proxies.join(","))).toBe("10.1.0.0");
    expect(read(["198.51.100.1", ...proxies, STRANGER].join(","))).toBe(STRANGER);
  });
});

describe.each(HEADERS.slice(1))("%s holds one address", (source, header) => {
  const read = (value: string | string[]) => reader(source)({ [header]: value } as Record<string, string>, PROXY);

  test.each([
    ["198.51.100.1, 203.0.113.9"],
    ["198.51.100.1,"],
    [",198.51.100.1"],
    ["198.51.100.1:5678"],
    ["[2001:db8::9]:80"],
    ["[2001:db8::9]"],
  ])("%j: more or something else, and nothing is known", (value) => {
    expect(read(value)).toBeUndefined();
  });

  test("two lines are two values", () => {
    expect(read(["198.51.100.1", "203.0.113.9"])).toBeUndefined();
    expect(read(["198.51.100.1", "198.51.100.1"])).toBeUndefined();
    expect(read([])).toBeUndefined();
    expect(read(["198.51.100.1"])).toBe("198.51.100.1");
  });

  test("it may be a proxy's: the header is the proxy's word", () => {
    expect(read("10.0.0.9")).toBe("10.0.0.9");
  });
});

describe("trusted proxies", () => {
  const headers = { "x-forwarded-for": "198.51.100.1" };

  test("of IPv6 do not hold IPv4", () => {
    const read = reader("x_forwarded_for", ["::/1"]);
    expect(read(headers, "10.0.0.1")).toBe("10.0.0.1");
    expect(read(headers, "::ffff:10.0.0.1")).toBe("10.0.0.1");
    expect(read(headers, "::1")).toBe("198.51.100.1");
  });

  test("may have host bits", () => {
    const read = reader("x_forwarded_for", ["10.9.8.7/8"]);
    expect(read(headers, "10.1.1.1")).toBe("198.51.100.1");
    expect(read(headers, "11.1.1.1")).toBe("11.1.1.1");
  });

  test.each([
    ["", "ERR_INVALID_ADDRESS"],
    ["proxy", "ERR_INVALID_ADDRESS"],
    ["10.0.0.0/", "ERR_INVALID_ADDRESS"],
    ["10.0.0.0/x", "ERR_INVALID_ADDRESS"],
    ["10.0.0.0/-1", "ERR_INVALID_ADDRESS"],
    ["10.0.0.0/8/8", "ERR_INVALID_ADDRESS"],
    ["10.0.0.0/33", "ERR_OUT_OF_RANGE"],
    ["fd00::/129", "ERR_OUT_OF_RANGE"],
  ])("%j is refused at the start", (proxy, code) => {
    expect(() => reader("x_forwarded_for", [proxy])).toThrow(expect.objectContaining({ code }));
  });
});
