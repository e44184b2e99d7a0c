/**
 * A process of its own that loads secrets: `load-secrets-child.ts DIRECTORY...`. Prints one line per directory: a hash
 * of everything that it got, or `error: ` and the message.
 */
import { createHash } from "node:crypto";
import { loadOrCreateSecrets } from "../../src/secrets/load-or-create-secrets.js";
import { openSigningKeySource } from "../../src/secrets/signing-key-source.js";

for (const dataDir of process.argv.slice(2)) {
  process.stdout.write(`${await load(dataDir)}\n`);
}

async function load(dataDir: string): Promise<string> {
  try {
    const configured = { hmac: { current: undefined, retired: [] }, pepper: undefined };
    const secrets = await loadOrCreateSecrets({ dataDir, configured, needsAdminToken: true });
    const hash = createHash("sha256");
    hash.update(secrets.keyRing.derive("latchkey/macaroon/v1").current);
    hash.update(secrets.pepper.export());
    hash.update(secrets.adminToken?.sha256 ?? "");
    const source = await openSigningKeySource({
      urls: undefined,
      generatedFile: secrets.files.signingJwks,
      signingKeyId: undefined,
      onError: () => undefined,
    });
    source.close();
    hash.update(source.current().signing.privateKey.export({ format: "der", type: "pkcs8" }));
    return hash.digest("hex");
  } catch (error) {
    return `error: ${(error as Error).message}`;
  }
}
