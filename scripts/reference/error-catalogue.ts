import { readFileSync } from "node:fs";
import type { Reason } from "../../src/errors.js";
import { codeName, httpStatus } from "../../src/server/error-map.js";

const UNION = /^export type Reason =$([\s\S]+?");$/m;
/** A member of the union, and the docstring above it. */
const MEMBER = /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*)?\| "([A-Z_]+)"/g;

export interface CataloguedError {
  readonly reason: Reason;
  readonly code: string;
  readonly httpStatus: number;
  /** What the docstring says, on one line. */
  readonly when: string;
}

/**
 * Every reason in the order of `src/errors.ts`, whose text is read here: types and docstrings are not there at run time. Throws
 * for a reason that has no docstring.
 */
export function readErrorCatalogue(): readonly CataloguedError[] {
  const source = readFileSync(new URL("../../src/errors.ts", import.meta.url), "utf8");
  const [, union] = UNION.exec(source) ?? [];
  if (union === undefined) throw new Error("src/errors.ts has no union of reasons");
  return [...union.matchAll(MEMBER)].map(([, docstring = "", name = ""]) => {
    const reason = name as Reason;
    const when = docstring.replaceAll(/\s*\n\s*\*?\s*/g, " ").trim();
    if (when === "") throw new Error(`src/errors.ts does not say what ${reason} means`);
    return { reason, code: codeName(reason), httpStatus: httpStatus(reason), when };
  });
}
