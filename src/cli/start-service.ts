/** Puts the service together: the one place where every part is known. */
import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import { ApiKeysService } from "../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import type { Config } from "../config/config.js";
import { createClassifier } from "../credentials/classify.js";
import { checkPepper } from "../domain/check-pepper.js";
import { createCheckedTokens } from "../domain/checked-tokens.js";
import { type DomainContext, issuedPrefixes, NIL_TENANT_ID } from "../domain/context.js";
import { FailureLimiter } from "../domain/failure-limiter.js";
import { SELF_REVOCATION_LIMITS } from "../domain/self-revoke-key.js";
import { startSweeper } from "../domain/sweep.js";
import { createApiKeysHandlers } from "../handlers/api-keys-handlers.js";
import { openDataDirectory } from "../secrets/data-directory.js";
import { KeyRing } from "../secrets/key-ring.js";
import { loadOrCreateSecrets, type Secrets } from "../secrets/load-or-create-secrets.js";
import { publicJwks } from "../secrets/signing-key-set.js";
import { openSigningKeySource, type SigningKeySource } from "../secrets/signing-key-source.js";
import { type Authenticate, createOpenAuthenticator, createTokenAuthenticator } from "../server/authenticate.js";
import { createClientAddressReader } from "../server/client-address.js";
import { Pipeline } from "../server/pipeline.js";
import { createRpcService } from "../server/rpc-method.js";
import { startServer } from "../server/server.js";
import { openEmbeddedStore } from "../store/embedded/open-embedded-store.js";
import type { KeyStore } from "../store/key-store.js";
import { openMongoStore } from "../store/mongo/open-mongo-store.js";
import { createAccessLog } from "../telemetry/access-log.js";
import type { Logger } from "../telemetry/logger.js";

const GENERATED_TOKEN_NAME = "generated";

export interface RunningService {
  /** Such as `http://127.0.0.1:4420`. */
  readonly url: string;
  readonly secrets: Secrets;
  /** Takes nothing new, lets calls under way finish, and closes the store. */
  close(): Promise<void>;
}

/** Starts the service. Rejects, with nothing left running, when something it needs is not there. */
export async function startService(config: Config, logger: Logger): Promise<RunningService> {
  await openDataDirectory(config.dataDir);
  const { tokens } = config;
  const secrets = await loadOrCreateSecrets({
    dataDir: config.dataDir,
    configured: config.secrets,
    needsAdminToken: config.admin.auth === "token" && config.admin.tokens === undefined,
    needsSigningJwks: tokens.signingJwksUrls === undefined,
  });
  const signingKeys = await openSigningKeySource({
    urls: tokens.signingJwksUrls,
    generatedFile: secrets.files.signingJwks,
    signingKeyId: tokens.signingKeyId,
    onError: (error) => logger.warn({ err: error }, "signing keys could not be refreshed; the last ones stay"),
  });
  const { store, context } = await openDomain(config, secrets, signingKeys).catch((error) => {
    signingKeys.close();
    throw error;
  });
  const sweeper = startSweeper(context, {
    holder: randomUUID(),
    onReport: ({ errors, ...report }) => logger.debug({ ...report, failed: errors.length }, "swept"),
    onError: (error) => logger.warn({ err: error }, "a sweep failed; it is tried again"),
  });
  const stop = async () => {
    signingKeys.close();
    await sweeper.stop();
    await store.close();
  };

  try {
    const server = await startServer({
      ...config.server,
      services: [
        createRpcService(ApiKeysService, {
          handlers: createApiKeysHandlers(context, {
            pageTokenKeys: secrets.keyRing.derive("latchkey/page-token/v1"),
            publicJwks: () => publicJwks(signingKeys.current()),
          }),
        }),
      ],
      pipeline: new Pipeline({
        authenticate: createAuthenticator(config, secrets),
        tenantId: NIL_TENANT_ID,
        requestTimeoutMs: config.server.requestTimeoutMs,
        readClientAddress: createClientAddressReader(config.clientIp),
        logger,
        logAccess: createAccessLog(logger),
      }),
      checkReady: () => store.ping(),
    });
    return {
      url: server.url,
      secrets,
      close: async () => {
        await server.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The store, with what the use cases need besides. Rejects when it belongs to another pepper. */
async function openDomain(config: Config, secrets: Secrets, signingKeys: SigningKeySource) {
  const store = await openStore(config);
  const { keys, tokens } = config;
  const context: DomainContext = {
    store,
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
  try {
    await checkPepper(context);
    return { store, context };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** What a person is told about where the keys are. */
export function describeStore({ store, dataDir }: Config): string {
  return store.mongodb === undefined ? `embedded, in ${storeDirectory(dataDir)}` : "MongoDB";
}

function openStore({ store, dataDir }: Config): Promise<KeyStore> {
  return store.mongodb === undefined
    ? openEmbeddedStore({ directory: storeDirectory(dataDir) })
    : openMongoStore(store.mongodb);
}

function storeDirectory(dataDir: string): string {
  return join(dataDir, "store");
}

function createAuthenticator({ admin }: Config, { adminToken }: Secrets): Authenticate {
  if (admin.auth === "none") return createOpenAuthenticator();
  const generated = adminToken && { name: GENERATED_TOKEN_NAME, role: "admin" as const, sha256: adminToken.sha256 };
  return createTokenAuthenticator(admin.tokens ?? (generated ? [generated] : []));
}
