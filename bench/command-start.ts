import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { pinned } from "./pinned-process.js";
import { type Figure, median } from "./rounds.js";
import { comparedRow, type Measured } from "./table.js";

const MAIN = fileURLToPath(new URL("../dist/src/main.js", import.meta.url));
const HELP = [MAIN, "--help"];
/** Node alone: no command can be there sooner. */
const NOTHING = ["-e", "0"];
const STARTS_PER_ROUND = 20;
const MS_PER_SECOND = 1_000;
/** Twice the time of Node alone. */
const TARGET = 0.5;

/** How often in a second `latchkey --help` could be run one after another, to Node with nothing to do. */
export function measureCommandStart(rounds: number): Measured {
  const ours: Figure[] = [];
  const reference: Figure[] = [];
  startMs(HELP); // fills the system's cache of files
  for (let round = 0; round < rounds; round += 1) {
    const helpMs: number[] = [];
    const nothingMs: number[] = [];
    for (let start = 0; start < STARTS_PER_ROUND; start += 1) {
      nothingMs.push(startMs(NOTHING));
      helpMs.push(startMs(HELP));
    }
    ours.push(figureOf(helpMs));
    reference.push(figureOf(nothingMs));
  }
  return comparedRow("latchkey --help, runs/s (node -e 0)", ours, reference, TARGET);
}

function figureOf(timesMs: readonly number[]): Figure {
  return { perSecond: MS_PER_SECOND / median(timesMs), perCpuSecond: Number.NaN };
}

/** Throws when the command does not end well. */
function startMs(words: readonly string[]): number {
  const startedAt = performance.now();
  const { status } = spawnSync(...pinned("server", process.execPath, words), { stdio: "ignore" });
  const elapsedMs = performance.now() - startedAt;
  if (status !== 0) throw new Error(`node ${words.join(" ")} ended with ${status}`);
  return elapsedMs;
}
