import { describe, expect, test } from "@jest/globals";
import { findAttributeViolations, findTextViolations } from "../../src/domain/key-attributes.js";
import type { JsonObject } from "../../src/store/key-store.js";

/** Levels of nesting, the outermost included. */
function nested(levels: number): JsonObject {
  return levels === 1 ? {} : { a: nested(levels - 1) };
}

describe("text", () => {
  test("is counted in characters, not in UTF-16 units or bytes", () => {
    expect(findTextViolations("name", "👍".repeat(255))).toEqual([]);
    expect(findTextViolations("name", "👍".repeat(256))).toEqual([
      { field: "name", description: "must be at most 255 characters" },
    ]);
    expect(findTextViolations("name", "x".repeat(255))).toEqual([]);
    expect(findTextViolations("name", "x".repeat(256))).toHaveLength(1);
  });

  test("is required", () => {
    expect(findTextViolations("name", "")).toEqual([{ field: "name", description: "is required" }]);
  });
});

describe("scopes", () => {
  const description = "must be 1 to 255 printable characters without spaces";

  test.each(["read", "keys:write", "ä", "日本", "👍", "~!@#$%^&*()", "x".repeat(255)])("may be %j", (scope) => {
    expect(findAttributeViolations({ scopes: [scope] })).toEqual([]);
  });

  test.each(["", " ", "a b", "a\u00a0b", "a\nb", "a\u0000b", "a\u200bb", "\u2028", "x".repeat(256)])(
    "may not be %j",
    (scope) => {
      expect(findAttributeViolations({ scopes: ["ok", scope] })).toEqual([{ field: "scopes[1]", description }]);
    },
  );

  test("are at most 128", () => {
    expect(findAttributeViolations({ scopes: Array(128).fill("s") })).toEqual([]);
    expect(findAttributeViolations({ scopes: Array(129).fill("s") })).toEqual([
      { field: "scopes", description: "must be at most 128 scopes" },
    ]);
  });
});

describe("metadata", () => {
  test("is at most 4 KiB as compact UTF-8 JSON", () => {
    const overhead = '{"a":""}'.length;
    expect(findAttributeViolations({ metadata: { a: "x".repeat(4096 - overhead) } })).toEqual([]);
    expect(findAttributeViolations({ metadata: { a: "x".repeat(4097 - overhead) } })).toEqual([
      { field: "metadata", description: "must be at most 4096 bytes as compact UTF-8 JSON" },
    ]);
    expect(findAttributeViolations({ metadata: { a: "é".repeat(2048) } })).toHaveLength(1);
  });

  test("nests at most 64 levels deep, and never so deep that looking at it fails", () => {
    expect(findAttributeViolations({ metadata: nested(64) })).toEqual([]);
    const description = "must nest at most 64 levels deep";
    expect(findAttributeViolations({ metadata: nested(65) })).toEqual([{ field: "metadata", description }]);
    let deep: JsonObject = {};
    for (let level = 0; level < 100_000; level++) deep = { a: deep };
    expect(findAttributeViolations({ metadata: deep })).toEqual([{ field: "metadata", description }]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])("holds no %d, which JSON cannot say", (value) => {
    expect(findAttributeViolations({ metadata: { a: [value] } })).toEqual([
      { field: "metadata", description: "must hold finite numbers only" },
    ]);
  });
});

describe("a rate limit policy", () => {
  test("has a quota, a window and a unit that is known", () => {
    const policy = { quota: 1n, windowMs: 1, unit: "" };
    expect(findAttributeViolations({ rateLimitPolicy: policy })).toEqual([]);
    expect(findAttributeViolations({ rateLimitPolicy: { ...policy, unit: "content-bytes" } })).toEqual([]);
    expect(findAttributeViolations({ rateLimitPolicy: { quota: 0n, windowMs: -1, unit: "days" } })).toEqual([
      { field: "rate_limit_policy.quota", description: "must be greater than 0" },
      { field: "rate_limit_policy.window", description: "must be longer than 0s" },
      {
        field: "rate_limit_policy.unit",
        description: "must be one of requests, content-bytes, concurrent-requests",
      },
    ]);
  });
});

describe("networks", () => {
  test.each(["10.0.0.0/8", "10.1.2.3/8", "0.0.0.0/0", "1.2.3.4/32", "::/0", "2001:db8::/32", "::ffff:10.0.0.0/104"])(
    "may be %s",
    (cidr) => expect(findAttributeViolations({ allowedCidrs: [cidr] })).toEqual([]),
  );

  test.each([
    "",
    "10.0.0.0",
    "10.0.0.0/33",
    "10.0.0/8",
    "010.0.0.0/8",
    "::/129",
    "10.0.0.0/08",
    "10.0.0.0/-1",
    "fe80::1%eth0/64",
    "a/8",
    "10.0.0.0/8 ",
  ])("may not be %j, which is named", (cidr) =>
    expect(findAttributeViolations({ allowedCidrs: ["::1/128", cidr] }, "issued_api_key.")).toEqual([
      {
        field: "issued_api_key.ip_restriction.allowed_cidrs[1]",
        description: "must be a network in CIDR notation, such as 10.0.0.0/8",
      },
    ]),
  );

  test("are at most 128", () => {
    expect(findAttributeViolations({ allowedCidrs: Array(129).fill("::/0") })).toEqual([
      { field: "ip_restriction.allowed_cidrs", description: "must be at most 128 networks" },
    ]);
  });
});
