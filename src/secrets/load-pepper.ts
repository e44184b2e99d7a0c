import type { KeyObject } from "node:crypto";
import { join } from "node:path";
import { secretsDirectory } from "./data-directory.js";
import { DataDirectoryError } from "./data-directory-error.js";
import { readSecretFile } from "./secret-file.js";
import { keyFromText, parseSecretText } from "./secret-text.js";

/**
 * The pepper that is configured, or that of the data directory. None is made: another one than the keys were imported with
 * would be in the way of it.
 * @throws DataDirectoryError that names the file
 */
export async function loadPepper(dataDir: string, configured: KeyObject | undefined): Promise<KeyObject> {
  if (configured !== undefined) return configured;
  const path = join(secretsDirectory(dataDir), "pepper");
  const content = await readSecretFile(path);
  if (content !== undefined) return keyFromText(parseSecretText(path, content));
  throw new DataDirectoryError(
    path,
    "is not there: set secrets.pepper, or copy the directory secrets/ of the service that the keys are from",
  );
}
