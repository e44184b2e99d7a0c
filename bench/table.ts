import { type Figure, median } from "./rounds.js";

/** A line of the table, and what `--json` writes. */
export interface Row {
  /** With the unit. */
  readonly name: string;
  readonly ours: number;
  /** `null`: there is nothing to compare with. */
  readonly reference: number | null;
  /** The median of the rounds' ratios, ours to the reference's. */
  readonly ratio: number | null;
  /** The least ratio that is wanted; `null`: the ratio is there to be known. */
  readonly target: number | null;
}

/** A row, and what one wants to know before one believes it. */
export interface Measured extends Row {
  /** Of each round. */
  readonly ratios?: readonly number[];
  /** The median ratio of calls per second of CPU time. */
  readonly cpuRatio?: number;
}

export function comparedRow(
  name: string,
  ours: readonly Figure[] = [],
  reference: readonly Figure[] = [],
  target: number | null = null,
): Measured {
  const ratiosOf = (unit: keyof Figure) =>
    ours.map((figure, round) => figure[unit] / (reference[round]?.[unit] ?? Number.NaN));
  const ratios = ratiosOf("perSecond");
  return {
    name,
    ours: median(ours.map(({ perSecond }) => perSecond)),
    reference: median(reference.map(({ perSecond }) => perSecond)),
    ratio: median(ratios),
    target,
    ratios,
    cpuRatio: median(ratiosOf("perCpuSecond")),
  };
}

export function plainRow(name: string, ours: number): Measured {
  return { name, ours, reference: null, ratio: null, target: null };
}

export function jsonFromRows(rows: readonly Measured[]): string {
  const plain = rows.map(({ name, ours, reference, ratio, target }): Row => ({ name, ours, reference, ratio, target }));
  return `${JSON.stringify(plain, undefined, 2)}\n`;
}

const HEADINGS = ["", "ours", "reference", "ratio", "target", "met", "rounds", "by CPU"];

export function formatTable(rows: readonly Measured[]): string {
  const lines = [HEADINGS, ...rows.map(cells)];
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const pad = (cell: string, column: number) => {
    const width = widths[column] ?? 0;
    return column === 0 ? cell.padEnd(width) : cell.padStart(width);
  };
  return lines.map((line) => `${line.map(pad).join("  ").trimEnd()}\n`).join("");
}

function cells({ name, ours, reference, ratio, target, ratios, cpuRatio }: Measured): string[] {
  return [
    name,
    formatFigure(ours),
    reference === null ? "" : formatFigure(reference),
    ratio === null ? "" : ratio.toFixed(2),
    target === null ? "" : target.toFixed(2),
    target === null || ratio === null ? "" : ratio >= target ? "yes" : "NO",
    ratios === undefined ? "" : `${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)}`,
    cpuRatio === undefined || Number.isNaN(cpuRatio) ? "" : cpuRatio.toFixed(2),
  ];
}

function formatFigure(figure: number): string {
  return Math.round(figure).toLocaleString("en-US");
}
