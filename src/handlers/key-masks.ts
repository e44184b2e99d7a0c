/** What the masks of updates and rotations name: one function for each kind of resource, made from its descriptor. */
import { type DescField, type DescMessage, getOption, type MessageShape } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import type { FieldMask } from "@bufbuild/protobuf/wkt";
import { FieldBehavior, field_behavior } from "../../gen/google/api/field_behavior_pb.js";
import { AdminRotateIssuedApiKeyRequestSchema } from "../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import { maskable } from "../../gen/latchkey/v2alpha1/options_pb.js";
import { ImportedApiKeySchema, IssuedApiKeySchema } from "../../gen/latchkey/v2alpha1/resources_pb.js";
import { type MaskField, resolveFieldMask } from "../query/field-mask.js";

/** The fields of `message` that a request with this mask changes. Throws INVALID_UPDATE_MASK. */
export type MaskReader<D extends DescMessage> = (
  message: MessageShape<D>,
  mask: FieldMask | undefined,
) => ReadonlySet<string>;

/** Why a field is not maskable, by what AIP-203 calls it. */
const REFUSALS: ReadonlyMap<FieldBehavior, string> = new Map([
  [FieldBehavior.IDENTIFIER, "the identifier"],
  [FieldBehavior.OUTPUT_ONLY, "output only"],
  [FieldBehavior.IMMUTABLE, "immutable"],
]);
const NOT_MASKABLE = "not for a mask";

/**
 * Compiles the mask rule of messages that hold a resource's new values: a mask may name the fields with the option
 * `maskable`. The other fields of `resource` are refused with what they are; absent, it is the message itself.
 */
export function compileMask<D extends DescMessage>(desc: D, resource: DescMessage = desc): MaskReader<D> {
  const own = desc.fields.filter((field) => getOption(field, maskable));
  const others = resource.fields.filter(({ name }) => !own.some((field) => field.name === name));
  const fields: readonly MaskField[] = [
    ...own.map(({ name }) => ({ name })),
    ...others.map((field) => ({ name: field.name, refusal: refusalOf(field) })),
  ];
  const byName = new Map(own.map((field) => [field.name, field]));

  return (message, mask) => {
    const reflected = reflect(desc, message);
    return resolveFieldMask(mask?.paths, fields, (name) => {
      const field = byName.get(name);
      return field !== undefined && reflected.isSet(field);
    });
  };
}

export const issuedKeyMask = compileMask(IssuedApiKeySchema);
export const importedKeyMask = compileMask(ImportedApiKeySchema);
/** A rotation makes a new key, and can say more of it than an update can of an old one. */
export const rotationMask = compileMask(AdminRotateIssuedApiKeyRequestSchema, IssuedApiKeySchema);

function refusalOf(field: DescField): string {
  const behaviors = getOption(field, field_behavior);
  return behaviors.flatMap((behavior) => REFUSALS.get(behavior) ?? []).at(0) ?? NOT_MASKABLE;
}
