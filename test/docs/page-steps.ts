import { type Block, type HeadingPath, isWithin, readBlocks } from "./page-blocks.js";
import { UNTESTED_LANGUAGES } from "./untested.js";

/** A block of `sh`, and what is shown as its output. */
export interface Step {
  readonly script: string;
  /** Absent: the output is not shown. */
  readonly shown?: Shown;
  readonly path: HeadingPath;
}

/** A `json` block: what the step writes to stdout. A `text` block: what a terminal shows of it, stderr included. */
export type Shown = { readonly json: unknown } | { readonly text: string };

/** Settings have a test of their own. */
const OTHER_LANGUAGES: readonly string[] = ["yaml", ...UNTESTED_LANGUAGES];

/** The steps of a page in order. @throws Error for a block that is none, and no output of one */
export function readSteps(markdown: string): Step[] {
  const steps: Step[] = [];
  for (const block of readBlocks(markdown).fenced) {
    if (OTHER_LANGUAGES.includes(block.language)) continue;
    if (block.language === "sh") {
      steps.push({ script: block.text, path: block.path });
      continue;
    }
    const last = steps.at(-1);
    const shown = readShown(block);
    if (shown === undefined || last === undefined || last.shown !== undefined) {
      throw new Error(`a stray block of ${block.language || "no language"}:\n${block.text}`);
    }
    steps.splice(-1, 1, { ...last, shown });
  }
  return steps;
}

function readShown({ language, text }: Block): Shown | undefined {
  if (language === "json") return { json: JSON.parse(text) };
  return language === "text" ? { text } : undefined;
}

/** Something that a step needs besides the service, and how it is seen that a step does. */
export interface Need {
  /** Why a test is skipped without it. */
  readonly reason: string;
  readonly isNeeded: (script: string) => boolean;
}

export interface PossibleSteps {
  readonly steps: readonly Step[];
  /** The sections that are left out, with the reasons: empty when everything is there. */
  readonly leftOut: ReadonlyMap<string, string>;
}

/** The steps that can be taken without `missing`. What one step of a section needs, the section and those below it need. */
export function possibleSteps(steps: readonly Step[], missing: readonly Need[]): PossibleSteps {
  const sections = steps.flatMap(({ script, path }) =>
    missing.filter(({ isNeeded }) => isNeeded(script)).map(({ reason }) => ({ path, reason })),
  );
  return {
    steps: steps.filter(({ path }) => !sections.some((section) => isWithin(path, section.path))),
    leftOut: new Map(sections.map(({ path, reason }) => [path.at(-1) ?? "", reason])),
  };
}
