/**
 * Makes the secrets of compose.yaml's services, those that are missing, in the folder `secrets` of the data directory that is
 * its argument: what a service on loopback makes for itself, and `admin-tokens.json`, for `admin.tokens`, with the hash of
 * `admin-token`. Exit code 1, and why on stderr, when that cannot be done.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { secretsDirectory } from "../secrets/data-directory.js";
import { DataDirectoryError } from "../secrets/data-directory-error.js";
import { loadOrCreateSecrets } from "../secrets/load-or-create-secrets.js";
import { readOrCreateSecretFile } from "../secrets/secret-file.js";

const TOKEN_NAME = "admin";
const NONE_CONFIGURED = { hmac: { current: undefined, retired: [] }, pepper: undefined };

const [dataDir] = process.argv.slice(2);
try {
  if (dataDir === undefined) throw new DataDirectoryError("create-secrets", "the data directory is missing");
  process.stdout.write(await createSecrets(dataDir));
} catch (error) {
  if (!(error instanceof DataDirectoryError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

/** Resolves to what a person is told. @throws DataDirectoryError */
async function createSecrets(dataDir: string): Promise<string> {
  const tokensFile = join(secretsDirectory(dataDir), "admin-tokens.json");
  // Whoever took the token away, or chose others, gets no new one that would not be among them.
  const needsAdminToken = !existsSync(tokensFile);
  const { directory, files, adminToken } = await loadOrCreateSecrets({
    dataDir,
    configured: NONE_CONFIGURED,
    needsAdminToken,
  });
  if (adminToken === undefined) return `The secrets are in ${directory}.\n`;
  const token = { name: TOKEN_NAME, token_sha256: Buffer.from(adminToken.sha256).toString("hex"), role: "admin" };
  await readOrCreateSecretFile(tokensFile, () => `${JSON.stringify([token])}\n`);
  return `The secrets are in ${directory}; the admin token is ${files.adminToken}.\n`;
}
