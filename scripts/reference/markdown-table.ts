/** A table of Markdown. Cells may have line breaks and bars. */
export function createTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `|${cells.map((cell) => (cell === "" ? " |" : ` ${cell} |`)).join("")}`;
  const cells = rows.map((row) => row.map((cell) => cell.replaceAll("\n", " ").replaceAll("|", "\\|")));
  return [line(heads), line(heads.map(() => "---")), ...cells.map(line)].join("\n");
}
