import { expect, test } from "@jest/globals";
import { decodeKey, encodeKey } from "../../src/transfer/record-codec.js";
import { fullRecord, sampleRecord } from "../store/sample-record.js";

const overJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test("every field but the sealed secret comes back as it was", () => {
  const record = fullRecord({ version: 7, createTime: new Date(-62_198_755_200_000), updateTime: new Date(8.64e15) });
  const { sealedSecret, ...rest } = record;
  expect(sealedSecret).toBeDefined();
  expect(decodeKey(overJson(encodeKey(record)))).toEqual(rest);
});

test("fields that are not set stay so", () => {
  const record = sampleRecord();
  expect(decodeKey(overJson(encodeKey(record)))).toStrictEqual(record);
  const revoked = sampleRecord({ revocation: { reason: "unspecified" } });
  expect(decodeKey(overJson(encodeKey(revoked)))).toStrictEqual(revoked);
});

test("a field named __proto__ in the metadata is a field", () => {
  const metadata = JSON.parse('{"__proto__": {"a": 1}}');
  const decoded = decodeKey(overJson(encodeKey(sampleRecord({ metadata }))));
  expect(Object.keys(decoded?.metadata ?? {})).toEqual(["__proto__"]);
});

test.each([
  ["a field that is not known", { color: "red" }],
  ["a field within a field that is not known", { listed: { status: "active", color: "red" } }],
  ["a missing field", { actor_id: undefined }],
  ["a version that is none", { version: 0 }],
  ["a status that is not known", { listed: { status: "lost" } }],
  ["a time that is none", { create_time: "yesterday" }],
  ["a time that does not exist", { create_time: "2026-02-30T00:00:00.000Z" }],
  ["a quota that is no number", { rate_limit_policy: { quota: "1e3", window_ms: 1, unit: "requests" } }],
  ["bytes that are no base64", { derive_seed: "?" }],
  ["metadata that is a list", { metadata: [] }],
])("%s is refused", (_what, fields) => {
  expect(decodeKey(overJson(encodeKey(sampleRecord())))).toBeDefined();
  expect(decodeKey(overJson({ ...encodeKey(sampleRecord()), ...fields }))).toBeUndefined();
});
