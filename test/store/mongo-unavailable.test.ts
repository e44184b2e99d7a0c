import { expect, test } from "@jest/globals";
import { type BulkWriteResult, MongoBulkWriteError, MongoWriteConcernError } from "mongodb";
import type { ServiceError } from "../../src/errors.js";
import { unavailable } from "../../src/store/mongo/unavailable.js";

test("what is logged of a bulk write that failed holds none of its documents", () => {
  const error = new MongoBulkWriteError({ message: "no space left", code: 14031, writeErrors: [] }, {
    insertedCount: 0,
  } as BulkWriteResult);
  Object.assign(error, { writeErrors: [{ err: { op: { derive_seed: "a secret" } } }] });
  const { reason, message, cause } = unavailable(error) as ServiceError;
  expect([reason, message]).toEqual(["UNAVAILABLE", "the key store is full"]);
  expect(cause).toEqual(new Error("MongoBulkWriteError: no space left (code 14031)"));
  expect(JSON.stringify(Object.getOwnPropertyDescriptors(cause))).not.toContain("a secret");
});

test("what is logged of a write that a majority does not have holds no document", () => {
  const writeConcernError = { code: 64, errmsg: "waiting timed out" };
  const error = new MongoWriteConcernError({ ok: 1, value: { derive_seed: "a secret" }, writeConcernError });
  const { reason, message, cause } = unavailable(error) as ServiceError;
  expect([reason, message]).toEqual(["UNAVAILABLE", "the key store cannot be reached"]);
  expect(cause).toEqual(new Error("MongoWriteConcernError: waiting timed out (code 64)"));
  expect(JSON.stringify(Object.getOwnPropertyDescriptors(cause))).not.toContain("a secret");
});
