/** The parts of a Markdown page that tests look at: headings, fenced and indented blocks, links. */

/** A heading, and the headings above it: `["Operations", "Back up"]`, from the page's title on. */
export type HeadingPath = readonly string[];

export interface Block {
  /** What stands behind the fence; empty when there is nothing. */
  readonly language: string;
  /** With a newline at the end. */
  readonly text: string;
  /** What it stands under. */
  readonly path: HeadingPath;
}

export interface PageBlocks {
  readonly headings: readonly HeadingPath[];
  readonly fenced: readonly Block[];
  /** Blocks by four spaces, without these. */
  readonly indented: readonly string[];
  /** The page without its blocks. */
  readonly prose: string;
}

const FENCE = /^```(.*)$/;
const HEADING = /^(#{1,6}) (.*)$/;
const INDENTED = /^ {4}/;

export function readBlocks(markdown: string): PageBlocks {
  const headings: HeadingPath[] = [];
  const fenced: Block[] = [];
  const indented: string[] = [];
  const prose: string[] = [];
  let path: string[] = [];
  let open: { language: string; lines: string[] } | undefined;
  let isAfterBlank = true;
  let isIndented = false;
  for (const line of markdown.split("\n")) {
    const [, fence] = FENCE.exec(line) ?? [];
    if (open !== undefined) {
      if (fence !== "") open.lines.push(line);
      else {
        fenced.push({ language: open.language, text: open.lines.map((text) => `${text}\n`).join(""), path });
        open = undefined;
      }
      continue;
    }
    isIndented = INDENTED.test(line) && (isIndented || isAfterBlank);
    isAfterBlank = line === "";
    const [, level = "", title = ""] = HEADING.exec(line) ?? [];
    if (fence !== undefined) open = { language: fence, lines: [] };
    else if (isIndented) indented.push(line.slice(4));
    else prose.push(line);
    if (level !== "") {
      path = [...path.slice(0, level.length - 1), title];
      headings.push(path);
    }
  }
  if (open !== undefined) throw new Error(`a block is not closed:\n${open.lines.join("\n")}`);
  return { headings, fenced, indented, prose: prose.join("\n") };
}

/** Whether a block under `path` is in the section of `section`, or in one below it. */
export function isWithin(path: HeadingPath, section: HeadingPath): boolean {
  return section.every((title, level) => path[level] === title);
}
