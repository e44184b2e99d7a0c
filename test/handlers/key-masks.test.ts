import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { FieldMaskSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "@jest/globals";
import { AdminRotateIssuedApiKeyRequestSchema } from "../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import { ImportedApiKeySchema, IssuedApiKeySchema } from "../../gen/latchkey/v2alpha1/resources_pb.js";
import { importedKeyMask, issuedKeyMask, type MaskReader, rotationMask } from "../../src/handlers/key-masks.js";

const UPDATABLE = ["name", "scopes", "metadata", "rate_limit_policy", "ip_restriction"];
const ROTATABLE = [...UPDATABLE, "visibility"];
const OUTPUT_ONLY = [
  "status",
  "create_time",
  "update_time",
  "expire_time",
  "last_used_time",
  "revocation_reason",
  "revocation_description",
];
const NO_FIELD = ["secret", "grace_period", "request_id", "update_mask", "keyId"];

const MASKS = [
  reader("an issued key", IssuedApiKeySchema, issuedKeyMask, UPDATABLE, {
    "the identifier": ["key_id"],
    immutable: ["actor_id", "visibility"],
    "output only": OUTPUT_ONLY,
    "no such field": NO_FIELD,
  }),
  reader("an imported key", ImportedApiKeySchema, importedKeyMask, UPDATABLE, {
    "the identifier": ["key_id"],
    immutable: ["actor_id"],
    "output only": [...OUTPUT_ONLY, "visibility"],
    "no such field": NO_FIELD,
  }),
  reader("a rotation", AdminRotateIssuedApiKeyRequestSchema, rotationMask, ROTATABLE, {
    "the identifier": ["key_id"],
    immutable: ["actor_id"],
    "output only": OUTPUT_ONLY,
    "no such field": NO_FIELD,
  }),
];

describe.each(MASKS)("the mask of $what", ({ read, maskable, refusals }) => {
  test("of * means what can be changed, and so does naming all of it", () => {
    expect(read({}, ["*"])).toEqual(maskable);
    expect(read({}, maskable)).toEqual(maskable);
  });

  test.each(Object.entries(refusals))("refuses what is %s, and says so", (refusal, paths) => {
    for (const path of paths) {
      expect(() => read({}, ["name", path])).toThrow(
        `update_mask: "${path}" (${refusal}) cannot be updated; what can is ${maskable.join(", ")}`,
      );
    }
  });

  test("that is absent means what has a value and can be changed", () => {
    expect(read({ keyId: "x", scopes: ["a"], metadata: {} })).toEqual(["scopes", "metadata"]);
    expect(read({ keyId: "x", name: "", scopes: [] }, [])).toEqual([]);
  });
});

/** The mask's reader, over the message's fields by their local names. */
function reader<D extends DescMessage>(
  what: string,
  desc: D,
  mask: MaskReader<D>,
  maskable: readonly string[],
  refusals: Readonly<Record<string, readonly string[]>>,
) {
  const read = (fields: object, paths?: readonly string[]) => [
    ...mask(create(desc, fields as MessageInitShape<D>), paths && create(FieldMaskSchema, { paths: [...paths] })),
  ];
  return { what, read, maskable, refusals };
}
