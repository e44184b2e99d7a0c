/**
 * Filters, parsed and checked: what is done with the text of a list's `filter` before any key is read.
 *
 *     node --import ./test/ts-loader.mjs bench/loops/filters.ts
 *
 * The loops are named "typical", and as `LONGEST_FILTERS` names its filters.
 */
import { KEY_FIELDS } from "../../src/domain/key-fields.js";
import { ServiceError } from "../../src/errors.js";
import { checkFilter } from "../../src/query/filter-checker.js";
import { type FilterShape, LONGEST_FILTERS, TYPICAL_FILTER } from "../filter-shapes.js";
import { type Loop, repeatForAWhile, serveLoops } from "./serve-loops.js";

const loops: Record<string, Loop> = { typical: filterLoop("typical", TYPICAL_FILTER) };
for (const [name, shape] of LONGEST_FILTERS) loops[name] = filterLoop(name, shape);
serveLoops(loops);

/** Answers filters per second. */
function filterLoop(name: string, { text, isRefused }: FilterShape): Loop {
  const check = () => {
    if (isTaken(text) === isRefused) throw new Error(`${name}: the filter is ${isRefused ? "taken" : "refused"}`);
  };
  return (seconds) => repeatForAWhile(seconds, check);
}

function isTaken(text: string): boolean {
  try {
    checkFilter(text, KEY_FIELDS);
    return true;
  } catch (error) {
    if (error instanceof ServiceError && error.reason === "INVALID_FILTER") return false;
    throw error;
  }
}
