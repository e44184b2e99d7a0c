import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import type { DecodeState, ValueDecoder } from "./decode-state.js";
import { type FieldPath, isTextField, openMessage } from "./field-path.js";
import type { HttpBinding } from "./http-rules.js";
import { type DecoderCache, getOneofCase, setField } from "./json-decode.js";
import { compileTextDecoder } from "./text-decode.js";

/** The fields of a message type by both names. A type that holds itself is its own node. */
type QueryNode = Map<string, QueryField>;

interface QueryField {
  readonly desc: DescField;
  /** Set where a text can set the field, or one item of it. */
  readonly decode: ValueDecoder | undefined;
  /** Set where the field's own fields have names in a query. */
  readonly node: QueryNode | undefined;
}

/** Sets fields from a raw query string. `bodyFields` names the request's fields that the body gave. */
export type QueryBinder = (
  message: Message,
  query: string,
  bodyFields: ReadonlySet<string>,
  state: DecodeState,
) => void;

const printable = /^[!-~]*$/;

/**
 * Compiles the binder of a query: `a.b=x` sets a field of a field, a repeated field takes each of its values, `+` is a
 * space. As in http.proto, what the path or the body binds is no query parameter, and neither are maps nor fields of
 * repeated fields. A parameter that is none is an error that names it, as a misspelt filter would list everything.
 *
 * @see https://github.com/googleapis/googleapis/blob/master/google/api/http.proto "Rules for HTTP mapping"
 */
export function compileQueryBinder(binding: HttpBinding, cache: DecoderCache): QueryBinder {
  if (binding.body.kind === "message") {
    return (_message, query, _bodyFields, state) => {
      for (const { name } of parseQuery(query, state)) reportAt(state, [name], "this method takes no query parameters");
    };
  }
  const root = compileNode(binding.method.input, cache, new Map());
  const elsewhere = new Map(binding.variables.map((path) => [joinNames(path), "is set by the path"]));
  const bodyName = binding.body.kind === "field" ? binding.body.field.name : undefined;

  return (message, query, bodyFields, state) => {
    const seen = new Set<string>();
    for (const { name, value } of parseQuery(query, state)) {
      const path = findFields(root, name.split("."));
      const first = path?.[0];
      const last = path?.at(-1);
      if (!path || !first || !last?.decode) {
        reportAt(state, [name], path ? "cannot be set in a query" : "unknown query parameter");
        continue;
      }
      const names = path.map((field) => field.desc.name);
      const key = names.join(".");
      const isRepeated = last.desc.fieldKind === "list";
      const refusal =
        (first.desc.name === bodyName ? "belongs in the body" : elsewhere.get(key)) ??
        (bodyFields.has(first.desc.name) ? "given both in the body and in the query" : undefined) ??
        (seen.has(key) && !isRepeated ? "given twice" : undefined);
      if (refusal !== undefined) {
        reportAt(state, names, refusal);
        continue;
      }
      seen.add(key);
      const { decode } = last;
      state.within(names, () => bindValue(message, path, decode(value, state), state));
    }
  };
}

function joinNames(path: FieldPath): string {
  return path.map((field) => field.name).join(".");
}

function reportAt(state: DecodeState, names: readonly string[], description: string): void {
  state.within(names, () => state.report(description));
}

function compileNode(desc: DescMessage, cache: DecoderCache, nodes: Map<DescMessage, QueryNode>): QueryNode {
  const known = nodes.get(desc);
  if (known) return known;
  const node: QueryNode = new Map();
  nodes.set(desc, node);
  for (const field of desc.fields) {
    const isText = isTextField(field);
    const hasFields = field.fieldKind === "message" && !isText;
    const compiled: QueryField = {
      desc: field,
      decode: isText ? compileTextDecoder(field, cache) : undefined,
      node: hasFields ? compileNode(field.message, cache, nodes) : undefined,
    };
    if (!node.has(field.jsonName)) node.set(field.jsonName, compiled);
    node.set(field.name, compiled);
  }
  return node;
}

function findFields(root: QueryNode, names: readonly string[]): readonly QueryField[] | undefined {
  const path: QueryField[] = [];
  let node: QueryNode | undefined = root;
  for (const name of names) {
    const field: QueryField | undefined = node?.get(name);
    if (!field) return undefined;
    path.push(field);
    node = field.node;
  }
  return path;
}

function bindValue(root: Message, path: readonly QueryField[], value: unknown, state: DecodeState): void {
  if (value === undefined) return;
  let message = root;
  for (const { desc: field, decode } of path) {
    const oneofCase = field.oneof && getOneofCase(message, field.oneof);
    if (oneofCase !== undefined && oneofCase !== field.localName) {
      state.report(`only one of ${field.oneof?.fields.map((member) => member.name).join(", ")} can be given`);
      return;
    }
    if (!decode && field.fieldKind === "message") message = openMessage(message, field);
    else if (field.fieldKind !== "list") setField(message, field, value);
    else (message as Message & Record<string, unknown[]>)[field.localName]?.push(value);
  }
}

interface QueryParam {
  readonly name: string;
  readonly value: string;
}

/** Splits as `application/x-www-form-urlencoded`, but refuses malformed escapes, where URLSearchParams guesses. */
function parseQuery(query: string, state: DecodeState): readonly QueryParam[] {
  if (query === "") return [];
  if (!printable.test(query)) {
    reportAt(state, ["query"], "characters outside ASCII must be percent-encoded");
    return [];
  }
  const parts = query.replaceAll("+", " ").split("&");
  try {
    return parts
      .filter((part) => part !== "")
      .map((part) => {
        const equals = part.indexOf("=");
        const name = equals < 0 ? part : part.slice(0, equals);
        return { name: decodeURIComponent(name), value: equals < 0 ? "" : decodeURIComponent(part.slice(equals + 1)) };
      });
  } catch (cause) {
    if (!(cause instanceof URIError)) throw cause;
    reportAt(state, ["query"], "malformed percent-encoding, or not UTF-8");
    return [];
  }
}
