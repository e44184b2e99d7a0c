import { issueKeys } from "../api.js";
import { LONGEST_FILTERS, TYPICAL_FILTER } from "../filter-shapes.js";
import { loopContestant, measureLoop } from "../load/loop.js";
import { PAGE_SIZE, pageContestant } from "../load/page-load.js";
import type { Options } from "../options.js";
import type { ServerProcess } from "../pinned-process.js";
import { type Figure, measureRounds } from "../rounds.js";
import { comparedRow, type Measured } from "../table.js";
import { withServers } from "../with-servers.js";

/** A filter takes at most a twentieth of a page, and a byte of the worst one at most three times that of the typical one. */
const TARGET = { page: 20, byte: 1 / 3 };
/** Of each filter. */
const SEARCH_S = 0.2;
const BYTES_IN_KIB = 1024;

interface Slowest {
  readonly name: string;
  readonly text: string;
  readonly microseconds: number;
}

/** Filters, parsed and checked in process: a typical one against a page of keys, and the worst one against the typical one. */
export function benchQueryFilter(options: Options, say: (text: string) => void): Promise<Measured[]> {
  return withServers(options, async ({ service, startLoops }) => {
    // One more than the page, so that it has a token as well.
    await issueKeys(service, PAGE_SIZE + 1);
    const loops = await startLoops("filters", []);
    await findSlowest(loops); // lets the compiler see all of them
    const { name, text, microseconds } = await findSlowest(loops);
    say(
      `query-filter: the worst of ${LONGEST_FILTERS.size} filters of ${text.length} bytes is "${name}", ${microseconds} us`,
    );
    const figures = await measureRounds(
      [
        await pageContestant(service, { name: "page" }),
        loopContestant("typical", loops, "typical"),
        loopContestant("worst", loops, name),
      ],
      options,
    );
    const typical = figures.get("typical");
    return [
      comparedRow(
        `check a filter in process to a list page of ${PAGE_SIZE} over REST, /s`,
        typical,
        figures.get("page"),
        TARGET.page,
      ),
      comparedRow(
        "check the worst filter of 4 KiB to a typical one, KiB/s",
        inKiB(figures.get("worst"), text),
        inKiB(typical, TYPICAL_FILTER.text),
        TARGET.byte,
      ),
    ];
  });
}

/** All are of one length, so that the slowest one takes the most time for a byte. */
async function findSlowest(loops: ServerProcess): Promise<Slowest> {
  let slowest: Slowest = { name: "", text: "", microseconds: 0 };
  for (const [name, { text }] of LONGEST_FILTERS) {
    const microseconds = Math.round(1e6 / (await measureLoop(loops, name, SEARCH_S)));
    if (microseconds > slowest.microseconds) slowest = { name, text, microseconds };
  }
  return slowest;
}

function inKiB(figures: readonly Figure[] = [], filter: string): Figure[] {
  const kib = filter.length / BYTES_IN_KIB;
  return figures.map(({ perSecond, perCpuSecond }) => ({
    perSecond: perSecond * kib,
    perCpuSecond: perCpuSecond * kib,
  }));
}
