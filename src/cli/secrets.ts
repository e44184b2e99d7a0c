/** `latchkey secrets`: changes the generated secrets of a data directory. `docs/operations/secrets.md` says when. */
import type { Config } from "../config/config.js";
import { PAGE_TOKEN_LIFETIME_MS } from "../query/page-token.js";
import { secretsDirectory } from "../secrets/data-directory.js";
import { hmacFile } from "../secrets/hmac-files.js";
import { forgetHmac, rotateHmac } from "../secrets/rotate-hmac.js";
import { forgetSigningKeys, rotateSigningKey } from "../secrets/rotate-signing-key.js";
import type { Forgetting, Forgotten, Rotation } from "../secrets/rotation.js";
import { signingJwksFile } from "../secrets/signing-keys.js";
import { CommandFailure } from "./command-failure.js";
import type { Output } from "./program.js";
import type { RotatedSecret } from "./rotated-secrets.js";

/** Clocks, and calls under way. */
const MARGIN_MS = 600_000;

interface SecretFile {
  readonly file: (directory: string) => string;
  /** Why the generated one is not to be changed; `undefined`: it is in use. */
  readonly refusal: (config: Config) => string | undefined;
  readonly rotate: (rotation: Rotation) => Promise<void>;
  readonly forget: (forgetting: Forgetting) => Promise<Forgotten>;
  /** How long what is made with it can be good. */
  readonly longestLifeMs: (config: Config) => number;
}

const SECRETS: Readonly<Record<RotatedSecret, SecretFile>> = {
  hmac: {
    file: hmacFile,
    refusal: ({ secrets }) => (secrets.hmac.current === undefined ? undefined : configuredBy("secrets.hmac.current")),
    rotate: rotateHmac,
    forget: forgetHmac,
    longestLifeMs: ({ tokens }) => Math.max(PAGE_TOKEN_LIFETIME_MS, tokens.maxTtlMs),
  },
  "signing-key": {
    file: signingJwksFile,
    refusal({ tokens }) {
      if (tokens.signingJwksUrls !== undefined) return configuredBy("tokens.signing_jwks_urls");
      return tokens.signingKeyId === undefined ? undefined : NAMED_KEY;
    },
    rotate: rotateSigningKey,
    forget: forgetSigningKeys,
    longestLifeMs: ({ tokens }) => tokens.maxTtlMs,
  },
};

const NAMED_KEY =
  "tokens.signing_key_id names the key to sign with, so a new one would not be used, and the one that signs could be forgotten: " +
  "take the setting away, restart every service on this data directory, and try again";

/** Makes a new secret that is used after `overlapMs`. Rejects with a CommandFailure or DataDirectoryError. */
export async function rotateSecret(
  config: Config,
  name: RotatedSecret,
  overlapMs: number,
  stdout: Output,
): Promise<void> {
  const { file, rotate } = generated(config, name);
  const directory = secretsDirectory(config.dataDir);
  const usedFromMs = Date.now() + overlapMs;
  await rotate({ directory, usedFromMs });
  stdout.write(
    `${file(directory)} has a new secret, which is used from ${timeText(usedFromMs)}.\n` +
      "Send SIGHUP to every service on this data directory before that.\n",
  );
}

/** Takes away what nothing good was made with any more; `all`: all but the newest. Rejects likewise. */
export async function forgetSecrets(config: Config, name: RotatedSecret, all: boolean, stdout: Output): Promise<void> {
  const { forget, longestLifeMs } = generated(config, name);
  const keepMs = longestLifeMs(config) + MARGIN_MS;
  const retiredBeforeMs = all ? Number.POSITIVE_INFINITY : Date.now() - keepMs;
  const { forgotten, keptUsedUntilMs } = await forget({ directory: secretsDirectory(config.dataDir), retiredBeforeMs });
  stdout.write(`forgotten: ${forgotten}\n`);
  for (const ms of keptUsedUntilMs) {
    stdout.write(`kept: one that is used until ${timeText(ms)}; forget it after ${timeText(ms + keepMs)}\n`);
  }
  if (forgotten > 0) stdout.write("Send SIGHUP to every service on this data directory.\n");
}

function generated(config: Config, name: RotatedSecret): SecretFile {
  const secret = SECRETS[name];
  const refusal = secret.refusal(config);
  if (refusal !== undefined) throw new CommandFailure(refusal);
  return secret;
}

function configuredBy(setting: string): string {
  return `${setting} is configured, so the generated secret is not in use: change the setting`;
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
