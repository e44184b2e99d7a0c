import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Of the release before this one. Its package is a fixture: `test/fixtures/README.md`. */
export const VERSION_BEFORE = "0.1.0";

const TARBALL = fileURLToPath(new URL(`../fixtures/releases/latchkey-${VERSION_BEFORE}.tgz`, import.meta.url));
const NODE_MODULES = fileURLToPath(new URL("../../node_modules", import.meta.url));

export interface UnpackedRelease {
  /** The script of its executable. */
  readonly main: string;
  dispose(): void;
}

/** Unpacks the release before into a folder of its own. It runs with this release's dependencies. */
export function unpackReleaseBefore(): UnpackedRelease {
  const directory = mkdtempSync(join(tmpdir(), "latchkey-release-"));
  execFileSync("tar", ["-xzf", TARBALL, "-C", directory]);
  symlinkSync(NODE_MODULES, join(directory, "node_modules"), "junction");
  return {
    main: join(directory, "package", "dist", "src", "main.js"),
    dispose: () => rmSync(directory, { recursive: true }),
  };
}
