import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../../", import.meta.url);

/** The text of a file of the repository. */
export function readRepositoryFile(path: string): string {
  return readFileSync(new URL(path, ROOT), "utf8");
}

/** Every file below a folder of the repository, as paths from its root. */
export function listFiles(folder: string): string[] {
  const root = fileURLToPath(ROOT);
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .sort();
}

/** Every file that is, or may be, committed: all but what .gitignore names. */
export function listCommittableFiles(): string[] {
  const ignored = readRepositoryFile(".gitignore")
    .split("\n")
    .filter((line) => line.endsWith("/"));
  const top = readdirSync(ROOT, { withFileTypes: true }).filter(({ name }) => name !== ".git");
  return top.flatMap((entry) => {
    if (entry.isFile()) return [entry.name];
    return ignored.includes(`${entry.name}/`) ? [] : listFiles(`${entry.name}/`);
  });
}
