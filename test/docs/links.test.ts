import { existsSync } from "node:fs";
import { posix } from "node:path";
import { expect, test } from "@jest/globals";
import { readRepositoryFile } from "../structure/repository.js";
import { readBlocks } from "./page-blocks.js";
import { PAGES } from "./pages.js";

const LINK = /\[[^\]]*\]\(([^)\s]+)\)/g;
const INDEX = "docs/README.md";

interface Link {
  readonly from: string;
  readonly target: string;
}

/** Links to places in the repository. */
function readLinks(from: string): Link[] {
  const targets = [...readBlocks(readRepositoryFile(from)).prose.matchAll(LINK)].map(([, target = ""]) => target);
  return targets.filter((target) => !/^https?:/.test(target)).map((target) => ({ from, target }));
}

/** The file that a link names, and the anchor in it. */
function resolveLink({ from, target }: Link): { readonly file: string; readonly anchor: string | undefined } {
  const [path = "", anchor] = target.split("#", 2);
  return { file: path === "" ? from : posix.join(posix.dirname(from), path), anchor };
}

/** The anchors of a page's headings, as GitHub makes them. */
function readAnchors(page: string): string[] {
  const names = readBlocks(readRepositoryFile(page)).headings.map((path) =>
    (path.at(-1) ?? "")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
  return names.map((name, index) => {
    const earlier = names.slice(0, index).filter((other) => other === name).length;
    return earlier === 0 ? name : `${name}-${earlier}`;
  });
}

function isBroken(link: Link): boolean {
  const { file, anchor } = resolveLink(link);
  if (!existsSync(new URL(`../../${file}`, import.meta.url))) return true;
  return anchor !== undefined && !readAnchors(file).includes(anchor);
}

const links = ["CONTRIBUTING.md", ...PAGES].flatMap(readLinks);

test("every link leads somewhere, and every anchor to a heading", () => {
  expect(links.length).toBeGreaterThan(30);
  expect(links.filter(isBroken)).toEqual([]);
});

test.each(["missing.md", "errors.md#no-such-heading", "#no-such-heading"])("%s would be found broken", (target) => {
  expect(isBroken({ from: INDEX, target })).toBe(true);
});

test("the README leads to the index, and the index to every page", () => {
  expect(readLinks("README.md").map((link) => resolveLink(link).file)).toContain(INDEX);
  const named = new Set(readLinks(INDEX).map((link) => resolveLink(link).file));
  const expected = PAGES.filter((path) => path.startsWith("docs/") && path !== INDEX && !isBelowAnIndex(path));
  expect(expected.filter((path) => !named.has(path))).toEqual([]);
});

/** A page that another index names. */
function isBelowAnIndex(path: string): boolean {
  const index = posix.join(posix.dirname(path), "README.md");
  return index !== INDEX && path !== index && PAGES.includes(index);
}
