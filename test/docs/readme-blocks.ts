import { readFileSync } from "node:fs";

/** The text of a page of the repository, such as `docs/errors.md`. */
export function readPage(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
}

/** The text of a section of a Markdown page, up to the next heading of the same level. */
export function readSection(markdown: string, heading: string): string {
  const [, rest] = markdown.split(`\n## ${heading}\n`);
  if (rest === undefined) throw new Error(`there is no section ${heading}`);
  return rest.split("\n## ")[0] ?? "";
}

/** The cells of the tables in a text, one list for each row with a first cell in backticks: what is between them, then the others. */
export function readRows(markdown: string): string[][] {
  return [...markdown.matchAll(/^\| `([A-Z_]+)` \| (.*) \|$/gm)].map(([, name = "", rest = ""]) => [
    name,
    ...rest.split(" | "),
  ]);
}
