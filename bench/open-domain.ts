import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { loadConfig } from "../src/config/load-config.js";
import { createClassifier } from "../src/credentials/classify.js";
import { createCheckedTokens } from "../src/domain/checked-tokens.js";
import { type DomainContext, issuedPrefixes } from "../src/domain/context.js";
import { FailureLimiter } from "../src/domain/failure-limiter.js";
import { SELF_REVOCATION_LIMITS } from "../src/domain/self-revoke-key.js";
import { KeyRing } from "../src/secrets/key-ring.js";
import { loadOrCreateSecrets } from "../src/secrets/load-or-create-secrets.js";
import { openSigningKeySource } from "../src/secrets/signing-key-source.js";
import { openEmbeddedStore } from "../src/store/embedded/open-embedded-store.js";

/**
 * What the use cases need, on the data directory of a service that may run: its store, its secrets, the default
 * configuration. As `src/cli/start-service.ts` puts it together, without the server.
 */
export async function openDomain(dataDir: string): Promise<DomainContext> {
  const { config } = loadConfig({ env: { LATCHKEY_DATA_DIR: dataDir } });
  if (config === undefined) throw new Error("the default configuration is refused");
  const { keys, tokens } = config;
  const secrets = await loadOrCreateSecrets({ dataDir, configured: config.secrets, needsAdminToken: false });
  const signingKeys = await openSigningKeySource({
    urls: undefined,
    generatedFile: secrets.files.signingJwks,
    signingKeyId: undefined,
    onError: (error) => {
      throw error;
    },
  });
  return {
    store: await openEmbeddedStore({ directory: join(dataDir, "store") }),
    clock: () => new Date(),
    randomBytes,
    keys,
    tokens,
    secrets: {
      pepper: secrets.pepper,
      requests: new KeyRing(secrets.pepper, []).derive("latchkey/requests/v1").current,
      sealing: secrets.keyRing.derive("latchkey/idempotency/v1"),
      macaroons: secrets.keyRing.derive("latchkey/macaroon/v1"),
      jwt: () => signingKeys.current(),
    },
    classify: createClassifier({ issuedPrefixes: issuedPrefixes(keys), macaroonPrefix: tokens.macaroonPrefix }),
    checkedTokens: createCheckedTokens(),
    selfRevocationFailures: new FailureLimiter(SELF_REVOCATION_LIMITS),
  };
}
