import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const directories = new Set<string>();

/** A new temporary directory; it is gone when this process is, also when it was interrupted. */
export function createWorkDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
  directories.add(directory);
  return directory;
}

/** Gives the disk space back before the end. */
export function removeWorkDirectory(directory: string): void {
  directories.delete(directory);
  rmSync(directory, { recursive: true, force: true });
}

process.on("exit", () => {
  for (const directory of directories) removeWorkDirectory(directory);
});
