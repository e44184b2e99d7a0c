import { type FieldViolation, invalidArguments } from "../errors.js";

/** A field name, a position in a list, or the key of a map's entry. */
export type PathPart = string | number | { readonly mapKey: string };

/** Turns a JSON value into the value of a message's field. Answers undefined when it reported a mistake. */
export type ValueDecoder = (json: unknown, state: DecodeState) => unknown;

const maxViolations = 10;
const maxDepth = 64;
const shownName = /^[A-Za-z0-9_.$@-]{1,64}$/;

/**
 * Where the decoding of one request is, and what is wrong so far. The path is kept as parts, as it is written out only
 * when something is wrong. Descriptions never quote the request: what stands in the wrong place may be a credential.
 */
export class DecodeState {
  readonly #path: PathPart[];
  readonly #violations: FieldViolation[] = [];
  #depth = 0;

  constructor(path: readonly PathPart[] = []) {
    this.#path = [...path];
  }

  enter(part: PathPart): void {
    this.#path.push(part);
  }

  leave(): void {
    this.#path.pop();
  }

  /** Runs an action some fields further in. */
  within(names: readonly string[], action: () => void): void {
    this.#path.push(...names);
    action();
    this.#path.length -= names.length;
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
    this.#violations.push({ field: formatPath(this.#path), description });
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

function formatPath(path: readonly PathPart[]): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else if (typeof part === "object")
      text += `[${shownName.test(part.mapKey) ? `"${part.mapKey}"` : describe(part.mapKey)}]`;
    else text += (text === "" ? "" : ".") + (shownName.test(part) ? part : describe(part));
  }
  return text === "" ? "body" : text;
}

function describe(name: string): string {
  return `(a name of ${name.length} characters)`;
}
