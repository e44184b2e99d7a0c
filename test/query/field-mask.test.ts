import { describe, expect, test } from "@jest/globals";
import { ServiceError } from "../../src/errors.js";
import { resolveFieldMask } from "../../src/query/field-mask.js";

const fields = [
  { name: "key_id", refusal: "the identifier" },
  { name: "name" },
  { name: "scopes" },
  { name: "status", refusal: "output only" },
  { name: "metadata" },
];
const UPDATABLE = "cannot be updated; what can is name, scopes, metadata";

function resolve(paths: readonly string[] | undefined, populated = ["key_id", "scopes", "status"]) {
  return [...resolveFieldMask(paths, fields, (field) => populated.includes(field))];
}

describe("an update mask", () => {
  test.each([undefined, []])("that is absent or empty means every populated field that can be updated", (paths) => {
    expect(resolve(paths)).toEqual(["scopes"]);
    expect(resolve(paths, ["key_id"])).toEqual([]);
  });

  test("of * means every field that can be updated", () => {
    expect(resolve(["*"])).toEqual(["name", "scopes", "metadata"]);
  });

  test("means the fields it names, populated or not, each once", () => {
    expect(resolve(["metadata", "name", "metadata"])).toEqual(["metadata", "name"]);
  });

  test.each([
    [["key_id"], `"key_id" (the identifier) ${UPDATABLE}`],
    [["name", "status"], `"status" (output only) ${UPDATABLE}`],
    [
      ["status", "x", "name", "key_id"],
      `"status" (output only), "x" (no such field), "key_id" (the identifier) ${UPDATABLE}`,
    ],
    [["status", "status"], `"status" (output only) ${UPDATABLE}`],
    [["status.code"], `"status.code" (output only) ${UPDATABLE}`],
    [["metadata.team"], `"metadata.team" (a part of metadata) ${UPDATABLE}`],
    [["metadata.`a.b`"], `"metadata.\`a.b\`" (a part of metadata) ${UPDATABLE}`],
    [["scopes.0"], `"scopes.0" (a part of scopes) ${UPDATABLE}`],
    [["scopes[0]"], `"scopes[0]" (no such field) ${UPDATABLE}`],
    [["scopes.*"], `"scopes.*" (a part of scopes) ${UPDATABLE}`],
    [["Name"], `"Name" (no such field) ${UPDATABLE}`],
    [["name "], `"name " (no such field) ${UPDATABLE}`],
    [["issued_api_key.name"], `"issued_api_key.name" (no such field) ${UPDATABLE}`],
    [["__proto__"], `"__proto__" (no such field) ${UPDATABLE}`],
    [["constructor.name"], `"constructor.name" (no such field) ${UPDATABLE}`],
    [["$set"], `"$set" (no such field) ${UPDATABLE}`],
    [["\0"], `" " (no such field) ${UPDATABLE}`],
    [[""], `"" (no such field) ${UPDATABLE}`],
    [["."], `"." (no such field) ${UPDATABLE}`],
    [
      ["a", "b", "c", "d", "e", "f", "g"],
      `${["a", "b", "c", "d", "e"].map((path) => `"${path}" (no such field)`).join(", ")} and 2 more ${UPDATABLE}`,
    ],
    [["*", "name"], '"*" stands for every field and cannot be combined'],
    [["*", "*"], '"*" stands for every field and cannot be combined'],
  ])("of %j is refused", (paths, description) => {
    const { reason, message, fields: violations } = refusal(paths);
    expect([reason, message]).toEqual(["INVALID_UPDATE_MASK", `update_mask: ${description}`]);
    expect(violations).toEqual([{ field: "update_mask", description: expect.any(String) }]);
    // Clipped, as every violation's is.
    expect(description.startsWith(violations[0]?.description.replace(/…$/, "") ?? "-")).toBe(true);
  });

  test("of many long paths is refused in few words", () => {
    const { message } = refusal(Array.from({ length: 10_000 }, (_, index) => `${index}`.padEnd(200, "x")));
    expect(message).toContain(`(no such field) and 9995 more ${UPDATABLE}`);
  });
});

function refusal(paths: readonly string[]): ServiceError {
  try {
    resolve(paths);
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
  throw new Error(`${paths.join()} was not refused`);
}
