import { create, type DescField, type DescMessage, type Message } from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { setField } from "./json-decode.js";

/** Fields from a request message down to one of them: all but the last are singular messages. */
export type FieldPath = readonly [DescField, ...DescField[]];

const textMessages: ReadonlySet<string> = new Set([
  "google.protobuf.Timestamp",
  "google.protobuf.Duration",
  "google.protobuf.FieldMask",
]);

/**
 * Whether a value of the field can be written as one text: in a path, or in a query. Of a repeated field this is about
 * its items.
 */
export function isTextField(field: DescField): boolean {
  if (field.fieldKind === "map") return false;
  return !field.message || textMessages.has(field.message.typeName) || isWrapperDesc(field.message);
}

/**
 * Finds the field that a path variable binds.
 *
 * @throws Error when there is none, or a text cannot set it
 */
export function resolveFieldPath(desc: DescMessage, names: readonly string[]): FieldPath {
  const [name = "", ...deeper] = names;
  const field = desc.fields.find((candidate) => candidate.name === name);
  if (!field) throw new Error(`${desc.typeName} has no field ${name}`);
  if (field.fieldKind === "list" || field.fieldKind === "map") throw new Error(`${field.name} is repeated`);
  if (deeper.length === 0) {
    if (!isTextField(field)) throw new Error(`${field.name} is a message`);
    return [field];
  }
  if (isTextField(field) || !field.message) throw new Error(`${field.name} has no fields`);
  return [field, ...resolveFieldPath(field.message, deeper)];
}

/** The message in a field; it is made when it is absent. */
export function openMessage(message: Message, field: DescField & { fieldKind: "message" }): Message {
  const holder = message as Message & Record<string, unknown>;
  const oneof = field.oneof && (holder[field.oneof.localName] as { case?: string; value?: Message });
  const present = oneof ? (oneof.case === field.localName ? oneof.value : undefined) : holder[field.localName];
  if (present !== undefined) return present as Message;
  const made = create(field.message);
  setField(message, field, made);
  return made;
}

/** Sets the field at the end of a path, whatever it was before. */
export function setFieldPath(message: Message, path: FieldPath, value: unknown): void {
  let holder = message;
  for (const [index, field] of path.entries()) {
    if (index === path.length - 1) setField(holder, field, value);
    else if (field.fieldKind === "message") holder = openMessage(holder, field);
  }
}
