import { normalizePercentEncoding } from "./percent-encoding.js";

/** One segment of a template: a literal in normal percent-encoding, any one segment, or all the rest. */
export type TemplateSegment =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "wildcard" }
  | { readonly kind: "rest" };

/** Binds the segments from `start` up to, not including, `end` to a field. */
export interface TemplateVariable {
  /** Names of the fields from the request message down to the one that is bound. */
  readonly fieldPath: readonly string[];
  readonly start: number;
  readonly end: number;
  /** Whether the value can hold more than one segment; a "%2F" in it then stays encoded. */
  readonly isMultiSegment: boolean;
}

export interface PathTemplate {
  readonly text: string;
  readonly segments: readonly TemplateSegment[];
  readonly variables: readonly TemplateVariable[];
  /** In normal percent-encoding, without the colon. */
  readonly verb: string | undefined;
}

/** A template that does not follow the grammar. The message points at the column, which counts from 1. */
export class PathTemplateError extends Error {
  override readonly name = "PathTemplateError";
  readonly column: number;

  constructor(text: string, index: number, problem: string) {
    // Other control characters than these cannot be in a template that parses, and would move the caret.
    const line = text.replaceAll(/[\r\n\t]/g, " ");
    super(`path template: ${problem} at column ${index + 1}\n  ${line}\n  ${" ".repeat(index)}^`);
    this.column = index + 1;
  }
}

const literalCharacter = /[A-Za-z0-9\-._~]/;
const hexPair = /^[0-9A-Fa-f]{2}$/;
const identifierStart = /[A-Za-z_]/;
const identifierPart = /[A-Za-z0-9_]/;

/**
 * Parses a path of a `google.api.http` rule:
 *
 *     Template  = "/" Segments [ Verb ] ;
 *     Segments  = Segment { "/" Segment } ;
 *     Segment   = "*" | "**" | LITERAL | Variable ;
 *     Variable  = "{" FieldPath [ "=" Segments ] "}" ;
 *     FieldPath = IDENT { "." IDENT } ;
 *     Verb      = ":" LITERAL ;
 *
 * http.proto leaves LITERAL open; here it is unreserved characters and percent escapes of RFC 3986. By the text below the
 * grammar, a variable holds no other variable, and `**` is the last segment. A field may be bound once.
 *
 * @see https://github.com/googleapis/googleapis/blob/master/google/api/http.proto "Path template syntax"
 * @throws PathTemplateError
 */
export function parsePathTemplate(text: string): PathTemplate {
  const segments: TemplateSegment[] = [];
  const variables: TemplateVariable[] = [];
  let index = 0;

  const found = (): string =>
    index < text.length ? `'${JSON.stringify(text.charAt(index)).slice(1, -1)}'` : "the end";
  const fail = (problem: string, at = index): never => {
    throw new PathTemplateError(text, at, problem);
  };
  const accept = (character: string): boolean => {
    const isNext = text.startsWith(character, index);
    index += isNext ? character.length : 0;
    return isNext;
  };
  const expect = (character: string): void => {
    if (!accept(character)) fail(`expected '${character}', found ${found()}`);
  };

  const readLiteral = (what: string): string => {
    const start = index;
    for (; index < text.length; index++) {
      if (text[index] === "%") {
        if (!hexPair.test(text.slice(index + 1, index + 3))) fail("invalid percent escape");
        index += 2;
      } else if (!literalCharacter.test(text.charAt(index))) break;
    }
    if (index === start) fail(`expected ${what}, found ${found()}`);
    return normalizePercentEncoding(text.slice(start, index));
  };

  const readIdentifier = (): string => {
    const start = index;
    if (!identifierStart.test(text.charAt(index))) fail(`expected a field name, found ${found()}`);
    while (identifierPart.test(text.charAt(index))) index++;
    return text.slice(start, index);
  };

  const readVariable = (): void => {
    const nameIndex = index;
    const start = segments.length;
    const fieldPath = [readIdentifier()];
    while (accept(".")) fieldPath.push(readIdentifier());
    if (accept("=")) readSegments(true);
    else segments.push({ kind: "wildcard" });
    expect("}");
    const name = fieldPath.join(".");
    if (variables.some((other) => other.fieldPath.join(".") === name))
      fail(`variable ${name} is bound twice`, nameIndex);
    const isMultiSegment = segments.length - start > 1 || segments[start]?.kind === "rest";
    variables.push({ fieldPath, start, end: segments.length, isMultiSegment });
  };

  const readSegment = (isInVariable: boolean): void => {
    if (segments.at(-1)?.kind === "rest") fail("'**' must be the last segment; there is another one");
    if (accept("**")) segments.push({ kind: "rest" });
    else if (accept("*")) segments.push({ kind: "wildcard" });
    else if (text[index] === "{") {
      if (isInVariable) fail("a variable cannot hold another variable");
      index++;
      readVariable();
    } else segments.push({ kind: "literal", text: readLiteral("a segment") });
  };

  // A function, as readVariable and it call each other; the grammar has no deeper recursion.
  function readSegments(isInVariable: boolean): void {
    do readSegment(isInVariable);
    while (accept("/"));
  }

  expect("/");
  readSegments(false);
  const verb = accept(":") ? readLiteral("a verb") : undefined;
  if (index < text.length) fail(`expected the end, found ${found()}`);
  return { text, segments, variables, verb };
}
