import { expect, test } from "@jest/globals";
import { type BulkWriteResult, MongoBulkWriteError } from "mongodb";
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
