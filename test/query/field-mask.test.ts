import { describe, expect, test } from "@jest/globals";
import { ServiceError } from "../../src/errors.js";
import { resolveFieldMask } from "../../src/query/field-mask.js";

const rules = { maskable: ["name", "scopes", "metadata"], populated: ["key_id", "scopes", "status"] };

describe("an update mask", () => {
  test.each([undefined, []])("that is absent or empty means every populated field that can be updated", (paths) => {
    expect([...resolveFieldMask(paths, rules)]).toEqual(["scopes"]);
  });

  test("of * means every field that can be updated", () => {
    expect([...resolveFieldMask(["*"], rules)]).toEqual(["name", "scopes", "metadata"]);
  });

  test("means the fields it names, populated or not, each once", () => {
    expect([...resolveFieldMask(["metadata", "name", "metadata"], rules)]).toEqual(["metadata", "name"]);
  });

  test.each([
    [["key_id"], '"key_id" cannot be updated; what can is name, scopes, metadata'],
    [["name", "metadata.team"], '"metadata.team" cannot be updated; what can is name, scopes, metadata'],
    [[""], '"" cannot be updated; what can is name, scopes, metadata'],
    [["*", "name"], '"*" stands for every field and cannot be combined'],
  ])("of %j is refused", (paths, description) => {
    expect(() => resolveFieldMask(paths, rules)).toThrow(
      new ServiceError("INVALID_UPDATE_MASK", `update_mask: ${description}`, {
        fields: [{ field: "update_mask", description }],
      }),
    );
  });
});
