import { showable } from "../showable.js";
import type { Color, Style } from "./style.js";

export interface Cell {
  readonly text: string;
  readonly color?: Color | undefined;
}

const GAP = "  ";

/**
 * Lines of cells in columns, for pages that come one after another: the first rows decide how wide the columns are. A
 * character counts as one place.
 */
export class Table {
  readonly #headings: readonly string[];
  readonly #style: Style;
  #widths: readonly number[] | undefined;

  constructor(headings: readonly string[], style: Style) {
    this.#headings = headings;
    this.#style = style;
  }

  /** The lines of more rows, each with its newline; before the first ones, the headings. */
  format(rows: readonly (readonly Cell[])[]): string {
    const shown = rows.map((row) => row.map(({ text, color }) => ({ text: showable(text), color })));
    const head: readonly Cell[] = this.#headings.map((text) => ({ text, color: "bold" }));
    const lines = this.#widths === undefined ? [head, ...shown] : shown;
    this.#widths ??= columnWidths([head, ...shown]);
    return lines.map((line) => this.#line(line)).join("");
  }

  #line(cells: readonly Cell[]): string {
    const padded = cells.map(({ text, color }, column) => {
      const fill = " ".repeat(Math.max(0, (this.#widths?.[column] ?? 0) - lengthOf(text)));
      return `${color === undefined ? text : this.#style(color, text)}${fill}`;
    });
    return `${padded.join(GAP).trimEnd()}\n`;
  }
}

/** Names and values, a line each. */
export function formatFields(fields: readonly (readonly [name: string, value: Cell])[], style: Style): string {
  const shown = fields.map(([name, { text, color }]) => ({ name: showable(name), value: showable(text), color }));
  const width = Math.max(0, ...shown.map(({ name }) => lengthOf(name)));
  return shown
    .map(({ name, value, color }) => {
      return `${style("bold", name)}${" ".repeat(width - lengthOf(name))}${GAP}${color === undefined ? value : style(color, value)}\n`;
    })
    .join("");
}

function columnWidths(lines: readonly (readonly Cell[])[]): readonly number[] {
  const [first = []] = lines;
  return first.map((_, column) => Math.max(...lines.map((line) => lengthOf(line[column]?.text ?? ""))));
}

function lengthOf(text: string): number {
  return [...text].length;
}
