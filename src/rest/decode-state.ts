import { type FieldViolation, invalidArguments } from "../errors.js";

/** A field name, a position in a list, or the key of a map's entry. */
export type PathPart = string | number | { readonly mapKey: string };

/** Turns a JSON value into the value of a message's field. Answers undefined when it reported a mistake. */
export type ValueDecoder = (json: unknown, state: DecodeState) => unknown;

/** A part of the path, and where it stands. */
interface Place {
  readonly part: PathPart;
  readonly outer: Place | undefined;
}

const maxViolations = 10;
const maxDepth = 64;
const shownName = /^[A-Za-z0-9_.$@-]{1,64}$/;

/**
 * Where the decoding of one request is, and what is wrong so far. The path is kept as linked parts, as it is written out only
 * when something is wrong. Descriptions never quote the request: what stands in the wrong place may be a credential.
 */
export class DecodeState {
  #place: Place | undefined;
  readonly #violations: FieldViolation[] = [];
  #depth = 0;

  constructor(path: readonly PathPart[] = []) {
    for (const part of path) this.enter(part);
  }

  enter(part: PathPart): void {
    this.#place = { part, outer: this.#place };
  }

  leave(): void {
    this.#place = this.#place?.outer;
  }

  /** Runs an action some fields further in. */
  within(names: readonly string[], action: () => void): void {
    const before = this.#place;
    for (const name of names) this.enter(name);
    action();
    this.#place = before;
  }

  /** Goes down one level of nesting. False when that is one too many; then it is reported, and there is no `ascend`. */
  descend(): boolean {
    if (this.#depth === maxDepth) {
      this.report(`nested more than ${maxDepth} levels deep`);
      return false;
    }
    this.#depth++;
    return true;
  }

  ascend(): void {
    this.#depth--;
  }

  /** @throws ServiceError when there are too many mistakes to go on */
  report(description: string): undefined {
    this.#violations.push({ field: formatPlace(this.#place), description });
    if (this.#violations.length === maxViolations) this.finish();
    return undefined;
  }

  reportType(expected: string, found: unknown): undefined {
    return this.report(`expected ${expected}, got ${jsonTypeName(found)}`);
  }

  /** @throws ServiceError INVALID_ARGUMENT with every mistake, if there is one */
  finish(): void {
    if (this.#violations.length > 0) throw invalidArguments(this.#violations);
  }
}

function jsonTypeName(json: unknown): string {
  if (json === null) return "null";
  if (Array.isArray(json)) return "an array";
  return typeof json === "object" ? "an object" : `a ${typeof json}`;
}

export function isJsonObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** Whether a text has no lone surrogate, so that UTF-8 can hold it. Node has the method since 20; ES2023's types do not. */
export function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

function formatPlace(place: Place | undefined): string {
  const text = formatParts(place);
  return text === "" ? "body" : text;
}

function formatParts(place: Place | undefined): string {
  if (place === undefined) return "";
  const { part } = place;
  const outer = formatParts(place.outer);
  if (typeof part === "number") return `${outer}[${part}]`;
  if (typeof part === "string") return `${outer}${outer === "" ? "" : "."}${formatName(part)}`;
  return `${outer}[${shownName.test(part.mapKey) ? `"${part.mapKey}"` : formatName(part.mapKey)}]`;
}

function formatName(name: string): string {
  return shownName.test(name) ? name : `(a name of ${name.length} characters)`;
}
