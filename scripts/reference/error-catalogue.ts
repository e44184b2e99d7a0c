import { readFileSync } from "node:fs";
import type { Reason } from "../../src/errors.js";
import { httpStatus } from "../../src/server/error-map.js";

const ROW = /^\| `([A-Z_]+)` \| `([A-Z_]+)` \| (\d{3}) \| (.+) \|$/gm;

export interface CataloguedError {
  readonly reason: Reason;
  readonly code: string;
  readonly httpStatus: number;
  readonly when: string;
}

/** The table of docs/errors.md, in its order; `test/docs/errors-page.test.ts` holds it to `src/errors.ts`. */
export function readErrorCatalogue(): readonly CataloguedError[] {
  const page = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");
  return [...page.matchAll(ROW)].map(([, name = "", code = "", , when = ""]) => {
    const reason = name as Reason;
    return { reason, code, httpStatus: httpStatus(reason), when };
  });
}
