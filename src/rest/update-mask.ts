import { create, type DescMessage, getOption, type Message } from "@bufbuild/protobuf";
import { type FieldMask, FieldMaskSchema } from "@bufbuild/protobuf/wkt";
import { maskable } from "../../gen/latchkey/v2alpha1/options_pb.js";
import { isJsonObject } from "./decode-state.js";

/** Fills the request's mask from the JSON object that holds the resource's fields. */
export type MaskFiller = (request: Message, resourceJson: unknown) => void;

/**
 * Compiles the rule for a PATCH without a mask: it changes the fields that the JSON body names, even when they are empty
 * or null there, which a message without presence cannot tell. It holds for every request that has an `update_mask`;
 * undefined for the others. `resource` is the message whose fields the mask names.
 *
 * Only fields with the option `maskable` enter the mask, so that GET, edit, PATCH works although the answer of GET holds
 * more (AIP-203). A mask without paths (`update_mask=`) counts as none, as in grpc-gateway and AIP-134. When the body
 * names no maskable field, the mask stays as it is: then none of them is populated, and "every populated field", which is
 * what no mask means to the handler, is none.
 *
 * @see https://google.aip.dev/134
 */
export function compileMaskFiller(request: DescMessage, resource: DescMessage): MaskFiller | undefined {
  const maskField = request.fields.find((field) => field.name === "update_mask");
  if (maskField?.fieldKind !== "message" || maskField.message.typeName !== FieldMaskSchema.typeName) return undefined;
  const fields = resource.fields.filter((field) => getOption(field, maskable));

  return (message, json) => {
    const holder = message as Message & Record<string, FieldMask | undefined>;
    if (!isJsonObject(json) || holder[maskField.localName]?.paths.length) return;
    const paths = fields
      .filter(({ name, jsonName }) => Object.hasOwn(json, name) || Object.hasOwn(json, jsonName))
      .map(({ name }) => name);
    if (paths.length > 0) holder[maskField.localName] = create(FieldMaskSchema, { paths });
  };
}
