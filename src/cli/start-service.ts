/** Puts the service together: the one place where every part is known. */
import { randomUUID } from "node:crypto";
import type { Config } from "../config/config.js";
import { NIL_TENANT_ID } from "../domain/context.js";
import { startSweeper } from "../domain/sweep.js";
import { readAdminToken, readHmac, type Secrets } from "../secrets/load-or-create-secrets.js";
import {
  type AcceptedToken,
  type Authenticate,
  createOpenAuthenticator,
  createTokenAuthenticator,
} from "../server/authenticate.js";
import { createClientAddressReader } from "../server/client-address.js";
import { Pipeline } from "../server/pipeline.js";
import { startServer } from "../server/server.js";
import { createAccessLog } from "../telemetry/access-log.js";
import type { Logger } from "../telemetry/logger.js";
import { createApiKeysService } from "./create-api-keys-service.js";
import { openDomain } from "./open-domain.js";

/** The caller that the generated token names. */
export const GENERATED_TOKEN_NAME = "generated";

export interface RunningService {
  /** Such as `http://127.0.0.1:4420`. */
  readonly url: string;
  readonly secrets: Secrets;
  /**
   * Takes `secrets.hmac`, `admin.tokens` and the sets of signing keys as they are now. Rejects, and takes none of them, with a
   * DataDirectoryError or SigningKeysError when one cannot be had.
   */
  reloadSecrets(config: Config): Promise<void>;
  /** Takes nothing new, lets calls under way finish, and closes the store. */
  close(): Promise<void>;
}

/** Starts the service. Rejects, with nothing left running, when something it needs is not there. */
export async function startService(config: Config, logger: Logger): Promise<RunningService> {
  const domain = await openDomain(config, "upgrade", {
    onRefreshError: (error) => logger.warn({ err: error }, "signing keys could not be refreshed; the last ones stay"),
    onFeedError: (error) =>
      logger.warn(
        { err: error },
        "changes of keys cannot be read; none is remembered for longer than cache.max_staleness",
      ),
    onUsesNotWritten: (error) =>
      logger.warn({ err: error }, "the last uses of keys could not be written; they are tried again"),
    onWarning: (message) => logger.warn(message),
  });
  const { context, secrets, signingKeys } = domain;
  const sweeper = startSweeper(context, {
    holder: randomUUID(),
    onReport: ({ errors, ...report }) => logger.debug({ ...report, failed: errors.length }, "swept"),
    onError: (error) => logger.warn({ err: error }, "a sweep failed; it is tried again"),
  });
  const stop = async () => {
    await sweeper.stop();
    await domain.close();
  };

  let authenticate = createAuthenticator(config, config.admin.tokens ?? generatedToken(secrets.adminToken?.sha256));
  const reloadSecrets = async (next: Config) => {
    const hmac = await readHmac(secrets.directory, next.secrets.hmac);
    // Whether callers are asked who they are takes a restart.
    const isOpen = config.admin.auth === "none";
    const tokens = isOpen ? [] : (next.admin.tokens ?? generatedToken(await readAdminToken(secrets.directory)));
    const nextAuthenticate = createAuthenticator(config, tokens);
    const takeSigningKeys = await signingKeys.readAnew();
    // From here on nothing fails, and nobody is served in between.
    secrets.keyRing.replace(hmac);
    authenticate = nextAuthenticate;
    takeSigningKeys();
  };

  try {
    const server = await startServer({
      ...config.server,
      services: [createApiKeysService(domain)],
      pipeline: new Pipeline({
        authenticate: (authorization) => authenticate(authorization),
        tenantId: NIL_TENANT_ID,
        requestTimeoutMs: config.server.requestTimeoutMs,
        readClientAddress: createClientAddressReader(config.clientIp),
        logger,
        logAccess: createAccessLog(logger),
      }),
      checkReady: () => context.store.ping(),
    });
    return {
      url: server.url,
      secrets,
      reloadSecrets,
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

function createAuthenticator({ admin }: Config, tokens: readonly AcceptedToken[]): Authenticate {
  return admin.auth === "none" ? createOpenAuthenticator() : createTokenAuthenticator(tokens);
}

function generatedToken(sha256: Uint8Array | undefined): AcceptedToken[] {
  return sha256 === undefined ? [] : [{ name: GENERATED_TOKEN_NAME, role: "admin", sha256 }];
}
