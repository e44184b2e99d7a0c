import { existsSync } from "node:fs";
import { open, readFile, rename, rm } from "node:fs/promises";
import { z } from "zod";
import { TransferError } from "./transfer-error.js";

const PRIVATE_FILE_MODE = 0o600;

const importState = z.strictObject({
  version: z.literal(1),
  /** Whose outcome is known, from the first. */
  rows: z.int(),
  imported: z.int(),
  failed: z.int(),
  /** Length of the file of failures. */
  failures_bytes: z.int(),
  /** Digest over these rows, so that another file is not taken for this one. */
  digest: z.string(),
});

/** How far an import has come. */
export type ImportState = z.output<typeof importState>;

export const FIRST_STATE: Omit<ImportState, "digest"> = {
  version: 1,
  rows: 0,
  imported: 0,
  failed: 0,
  failures_bytes: 0,
};

/** `undefined`: none is under way. Throws TransferError for a file that is none. */
export async function readState(path: string): Promise<ImportState | undefined> {
  if (!existsSync(path)) return undefined;
  try {
    return importState.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    throw new TransferError(`${path} cannot be read: remove it to begin anew; keys that are imported already stay so`);
  }
}

/** On disk, as a whole, when it resolves. */
export async function writeState(path: string, state: ImportState): Promise<void> {
  const part = `${path}.part`;
  await rm(part, { force: true });
  const file = await open(part, "wx", PRIVATE_FILE_MODE);
  try {
    await file.writeFile(JSON.stringify(state));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(part, path);
}
