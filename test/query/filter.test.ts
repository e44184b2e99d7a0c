import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { ServiceError } from "../../src/errors.js";
import { parseFilter } from "../../src/query/filter.js";

const FIELDS = { actor_id: {}, status: { values: ["KEY_STATUS_ACTIVE", "KEY_STATUS_REVOKED"] } };

function parse(filter: string) {
  return Object.fromEntries(parseFilter(filter, FIELDS));
}

describe("a filter", () => {
  test.each([
    ["", {}],
    ["   ", {}],
    ["actor_id=me", { actor_id: "me" }],
    ['actor_id = "user 1"', { actor_id: "user 1" }],
    ['actor_id="a\\"b\\\\c"', { actor_id: 'a"b\\c' }],
    ['actor_id=""', { actor_id: "" }],
    ['actor_id="AND"', { actor_id: "AND" }],
    ['actor_id="日本 👍"', { actor_id: "日本 👍" }],
    ["status=KEY_STATUS_ACTIVE", { status: "KEY_STATUS_ACTIVE" }],
    ['actor_id="me" AND status=KEY_STATUS_REVOKED', { actor_id: "me", status: "KEY_STATUS_REVOKED" }],
    [
      '  status = "KEY_STATUS_ACTIVE"  AND  actor_id=u:1/2@x.y-z ',
      { actor_id: "u:1/2@x.y-z", status: "KEY_STATUS_ACTIVE" },
    ],
  ])("is read: %j", (filter, expected) => expect(parse(filter)).toEqual(expected));

  test.each([
    ["name=x", 1, "field cannot be filtered on; what can is actor_id, status"],
    ["__proto__=x", 1, "field cannot be filtered on; what can is actor_id, status"],
    ["toString=x", 1, "field cannot be filtered on; what can is actor_id, status"],
    ["actor_id", 9, 'expected "="'],
    ["actor_id=", 10, "expected a value"],
    ["actor_id==x", 10, "expected a value"],
    ["actor_id={$ne: null}", 10, "unexpected character"],
    ['actor_id="open', 10, "unexpected character"],
    ["status=ACTIVE", 8, "expected one of KEY_STATUS_ACTIVE, KEY_STATUS_REVOKED"],
    ["actor_id=a status=KEY_STATUS_ACTIVE", 12, "expected AND"],
    ["actor_id=a OR actor_id=b", 12, "expected AND"],
    ["actor_id=a AND", 15, "expected a field name"],
    ["actor_id=a AND actor_id=b", 16, "field is restricted twice"],
    ["AND", 1, "expected a field name"],
    ['"actor_id"=a', 1, "expected a field name"],
  ])("is refused with the column: %j", (filter, column, problem) => {
    const message = `column ${column}: ${problem}\n${filter}\n${" ".repeat(column - 1)}^`;
    expect(() => parse(filter)).toThrow(
      new ServiceError("INVALID_FILTER", `filter: ${message}`, { fields: [{ field: "filter", description: message }] }),
    );
  });

  test("of more than 4 KiB is refused unread", () => {
    expect(() => parse(`actor_id="${"é".repeat(2048)}"`)).toThrow("filter: must be at most 4096 bytes");
  });

  test("is refused with INVALID_FILTER or read, whatever the text", () => {
    const piece = fc.oneof(
      fc.constantFrom("actor_id", "status", "=", "AND", " ", '"', "\\", "KEY_STATUS_ACTIVE"),
      fc.string({ unit: "binary", maxLength: 5 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        try {
          parse(pieces.join(""));
        } catch (error) {
          expect(error).toBeInstanceOf(ServiceError);
          expect(error).toHaveProperty("reason", "INVALID_FILTER");
        }
      }),
      { seed: 2, numRuns: 20_000 },
    );
  });
});
