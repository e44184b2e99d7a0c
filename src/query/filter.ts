/**
 * The part of AIP-160 that lists take so far: `field = value`, joined by AND.
 *
 *     filter      = [ restriction { "AND" restriction } ]
 *     restriction = field "=" value
 *     value       = word | '"' { character | "\" character } '"'
 */
import { ServiceError } from "../errors.js";

const MAX_FILTER_BYTES = 4096;
const AND = "AND";
/** Of the filter on either side of an error. */
const EXCERPT_CHARACTERS = 60;

/** What a filter may name: each field with its values when only some are allowed. */
export type FilterFields = Readonly<Record<string, { readonly values?: readonly string[] }>>;

interface Token {
  readonly kind: "word" | "string" | "=";
  readonly text: string;
  /** Position in the filter, from 0. */
  readonly at: number;
}

const TOKEN = /\s*(?:(?<word>[A-Za-z0-9_.:@/+-]+)|"(?<string>(?:[^"\\]|\\.)*)"|(?<equals>=))\s*/suy;
const ESCAPE = /\\(.)/gsu;

/** Field name -> value of every restriction. Throws INVALID_FILTER that shows the column. */
export function parseFilter(filter: string, fields: FilterFields): ReadonlyMap<string, string> {
  if (Buffer.byteLength(filter) > MAX_FILTER_BYTES) {
    throw invalidFilter(`must be at most ${MAX_FILTER_BYTES} bytes`);
  }
  const tokens = scan(filter);
  const restrictions = new Map<string, string>();
  for (let index = 0; index < tokens.length; index++) {
    const and = tokens[index];
    if (restrictions.size > 0) {
      if (and?.text !== AND || and.kind !== "word") throw at(filter, and, `expected ${AND}`);
      index++;
    }
    const [field, equals, value] = tokens.slice(index, index + 3);
    if (field?.kind !== "word" || field.text === AND) throw at(filter, field, "expected a field name");
    const allowed = Object.hasOwn(fields, field.text) ? fields[field.text] : undefined;
    if (allowed === undefined) {
      throw at(filter, field, `field cannot be filtered on; what can is ${Object.keys(fields).join(", ")}`);
    }
    if (restrictions.has(field.text)) throw at(filter, field, "field is restricted twice");
    if (equals?.kind !== "=") throw at(filter, equals, 'expected "="');
    if (value === undefined || value.kind === "=") throw at(filter, value, "expected a value");
    if (allowed.values && !allowed.values.includes(value.text)) {
      throw at(filter, value, `expected one of ${allowed.values.join(", ")}`);
    }
    restrictions.set(field.text, value.text);
    index += 2;
  }
  return restrictions;
}

function scan(filter: string): Token[] {
  const tokens: Token[] = [];
  for (let position = filter.length - filter.trimStart().length; position < filter.length; ) {
    TOKEN.lastIndex = position;
    const groups = TOKEN.exec(filter)?.groups;
    if (groups === undefined) throw at(filter, { at: position }, "unexpected character");
    if (groups.word !== undefined) tokens.push({ kind: "word", text: groups.word, at: position });
    else if (groups.string !== undefined) {
      tokens.push({ kind: "string", text: groups.string.replace(ESCAPE, "$1"), at: position });
    } else tokens.push({ kind: "=", text: "=", at: position });
    position = TOKEN.lastIndex;
  }
  return tokens;
}

/** The error at a token, or at the end of the filter. */
function at(filter: string, token: { readonly at: number } | undefined, problem: string): ServiceError {
  const column = token?.at ?? filter.length;
  const from = Math.max(0, column - EXCERPT_CHARACTERS);
  const excerpt = filter.slice(from, column + EXCERPT_CHARACTERS);
  return invalidFilter(`column ${column + 1}: ${problem}\n${excerpt}\n${" ".repeat(column - from)}^`);
}

function invalidFilter(description: string): ServiceError {
  const fields = [{ field: "filter", description }];
  return new ServiceError("INVALID_FILTER", `filter: ${description}`, { fields });
}
