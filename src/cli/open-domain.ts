/** Opens what the use cases need, as the configuration says: secrets, signing keys, the store. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Config } from "../config/config.js";
import { createClassifier } from "../credentials/classify.js";
import { checkPepper } from "../domain/check-pepper.js";
import { createCheckedTokens } from "../domain/checked-tokens.js";
import { type DomainContext, issuedPrefixes } from "../domain/context.js";
import { FailureLimiter } from "../domain/failure-limiter.js";
import { KeyUses } from "../domain/key-uses.js";
import { SELF_REVOCATION_LIMITS } from "../domain/self-revoke-key.js";
import { openDataDirectory, refuseOtherUser } from "../secrets/data-directory.js";
import { KeyRing } from "../secrets/key-ring.js";
import { loadOrCreateSecrets, type Secrets } from "../secrets/load-or-create-secrets.js";
import { openSigningKeySource, type SigningKeySource } from "../secrets/signing-key-source.js";
import { openEmbeddedStore } from "../store/embedded/open-embedded-store.js";
import type { KeyStore } from "../store/key-store.js";
import { openMongoStore } from "../store/mongo/open-mongo-store.js";

export interface Domain {
  readonly context: DomainContext;
  readonly secrets: Secrets;
  readonly signingKeys: SigningKeySource;
  close(): Promise<void>;
}

/** What of the configuration says where the keys are. */
export type StoreConfig = Pick<Config, "store" | "dataDir"> & { readonly cache: Config["cache"] | undefined };

/**
 * What becomes of a store of an earlier format: it is brought up to date, or refused, since services of the release before may be
 * using it. A new store is made either way.
 */
export type OlderStore = "upgrade" | "refuse";

export interface DomainEvents {
  /** Signing keys that cannot be read again later. */
  readonly onRefreshError: (error: unknown) => void;
  /** MongoDB cannot be asked any more which keys were changed. */
  readonly onFeedError: (error: unknown) => void;
  /** Last uses of keys, for now. */
  readonly onUsesNotWritten: (error: unknown) => void;
  /** What is no error, and yet not as it should be in production. */
  readonly onWarning: (message: string) => void;
}

const ROOT_UID = 0;

const STANDALONE_WARNING =
  "MongoDB is a standalone server: what it acknowledged survives a crash only as far as its own journal and disk do, " +
  "and nothing takes over from it; production needs a replica set or a sharded cluster";

/** Rejects, with nothing left open, when something is not there or does not belong together. */
export async function openDomain(config: Config, older: OlderStore, events: DomainEvents): Promise<Domain> {
  const { tokens } = config;
  const secrets = await openSecrets(config);
  const signingKeys = await openSigningKeySource({
    urls: tokens.signingJwksUrls,
    generatedFile: secrets.files.signingJwks,
    signingKeyId: tokens.signingKeyId,
    onError: events.onRefreshError,
  });
  try {
    const store = await openCheckedStore(config, secrets, older, events);
    const keyUses = new KeyUses(store, events.onUsesNotWritten);
    const close = async () => {
      signingKeys.close();
      await keyUses.close();
      await store.close();
    };
    return { context: createContext(config, store, keyUses, secrets, signingKeys), secrets, signingKeys, close };
  } catch (error) {
    signingKeys.close();
    throw error;
  }
}

/** The data directory with its secrets; those that are not there are made. */
export async function openSecrets(config: Config): Promise<Secrets> {
  await refuseOthersStore(config);
  await openDataDirectory(config.dataDir);
  return loadOrCreateSecrets({
    dataDir: config.dataDir,
    configured: config.secrets,
    needsAdminToken: config.admin.auth === "token" && config.admin.tokens === undefined,
    needsSigningJwks: config.tokens.signingJwksUrls === undefined,
  });
}

/** What a person is told about where the keys are. */
export function describeStore({ store, dataDir }: Config): string {
  return store.mongodb === undefined ? `embedded, in ${storeDirectory(dataDir)}` : "MongoDB";
}

function createContext(
  { keys, tokens }: Config,
  store: KeyStore,
  keyUses: KeyUses,
  secrets: Secrets,
  signingKeys: SigningKeySource,
): DomainContext {
  return {
    store,
    clock: () => new Date(),
    randomBytes,
    keys,
    tokens,
    secrets: {
      pepper: secrets.pepper,
      requests: new KeyRing({ current: secrets.pepper, retired: [] }).derive("latchkey/requests/v1").current,
      sealing: () => secrets.keyRing.derive("latchkey/idempotency/v1"),
      macaroons: () => secrets.keyRing.derive("latchkey/macaroon/v1"),
      jwt: () => signingKeys.current(),
    },
    classify: createClassifier({ issuedPrefixes: issuedPrefixes(keys), macaroonPrefix: tokens.macaroonPrefix }),
    checkedTokens: createCheckedTokens(),
    keyUses,
    selfRevocationFailures: new FailureLimiter(SELF_REVOCATION_LIMITS),
  };
}

/** The store, if it was first used with this pepper. Rejects with nothing left open. */
export async function openCheckedStore(
  config: StoreConfig,
  secrets: Pick<Secrets, "pepper">,
  older: OlderStore,
  events: DomainEvents,
): Promise<KeyStore> {
  const store = await openStore(config, older, events);
  try {
    await checkPepper({ store, secrets });
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function openStore(
  config: StoreConfig,
  older: OlderStore,
  { onFeedError, onWarning }: DomainEvents,
): Promise<KeyStore> {
  const { store, cache, dataDir } = config;
  const upgrade = older === "upgrade";
  if (store.mongodb === undefined) {
    await refuseOthersStore(config);
    return openEmbeddedStore({ directory: storeDirectory(dataDir), upgrade });
  }
  return openMongoStore({
    ...store.mongodb,
    upgrade,
    cache,
    onFeedError,
    onDeployment: (deployment) => {
      if (deployment === "standalone") onWarning(STANDALONE_WARNING);
    },
  });
}

/** Refuses an embedded store of another user, or, to root, another user's place for one. @throws DataDirectoryError */
export async function refuseOthersStore({ store, dataDir }: Pick<Config, "store" | "dataDir">): Promise<void> {
  if (store.mongodb !== undefined || (await refuseOtherUser(storeDirectory(dataDir)))) return;
  // Others may be let in by their group, into a volume that root has made for them.
  if (process.getuid?.() === ROOT_UID) await refuseOtherUser(dataDir);
}

/** Where the embedded store is. */
export function storeDirectory(dataDir: string): string {
  return join(dataDir, "store");
}
