import { readFile, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { DataDirectoryError, systemErrorCode } from "./data-directory-error.js";
import { type Fetched, fetchJwks, type HttpsOptions } from "./fetch-jwks.js";
import { readSecretFile } from "./secret-file.js";
import { type ParsedSigningKey, parseSigningJwks } from "./signing-keys.js";
import { SigningKeysError } from "./signing-keys-error.js";

/** A URL that does not show itself (`config.tokens.signingJwksUrls` has them). */
export interface HiddenUrl {
  reveal(): string;
}

/** Where a JWK Set is. */
export interface JwksLocation {
  /** What errors call it. */
  readonly place: string;
  /** Reads it as it is now. Rejects with a SigningKeysError or DataDirectoryError that names the place. */
  load(signal: AbortSignal): Promise<readonly ParsedSigningKey[]>;
}

const MAX_JWKS_BYTES = 1_048_576;
const BASE64_PREFIX = "base64://";

/** The set that `loadOrCreateSecrets` made. It is not made anew when it is gone: its tokens would stop to verify. */
export function generatedJwksLocation(path: string): JwksLocation {
  return {
    place: path,
    load: async () => {
      const content = await readSecretFile(path);
      if (content === undefined) throw new DataDirectoryError(path, "is gone; restore it from a backup");
      try {
        return parseSigningJwks(path, content);
      } catch (error) {
        if (!(error instanceof SigningKeysError)) throw error;
        throw new DataDirectoryError(path, `${error.problem}; restore it from a backup`);
      }
    },
  };
}

/**
 * The set that an item of `tokens.signing_jwks_urls` names: `file://`, `https://` or `base64://`, as the configuration checked.
 */
export function configuredJwksLocation(hidden: HiddenUrl, index: number, https?: HttpsOptions): JwksLocation {
  const url = hidden.reveal();
  const place = `tokens.signing_jwks_urls[${index}] (${shownPart(url)})`;
  return {
    place,
    load: async (signal) => {
      const { content, failure } = await read(url, signal, https);
      if (failure !== undefined) throw new SigningKeysError(place, failure);
      return parseSigningJwks(place, content);
    },
  };
}

/** What anybody may see of a URL: not its query, and of base64 nothing at all. */
function shownPart(url: string): string {
  if (isBase64(url)) return BASE64_PREFIX;
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

function read(url: string, signal: AbortSignal, https: HttpsOptions | undefined): Promise<Fetched> {
  if (isBase64(url)) return Promise.resolve({ content: decodeBase64(url) });
  if (new URL(url).protocol === "https:") return fetchJwks(url, MAX_JWKS_BYTES, signal, https);
  return readJwksFile(fileURLToPath(url));
}

/** Who else may read the file is not looked at: a secret that Kubernetes mounts may be readable by all in its container. */
async function readJwksFile(path: string): Promise<Fetched> {
  try {
    const info = await stat(path);
    if (!info.isFile()) return { failure: "is no file" }; // a pipe would be waited for, for ever
    if (info.size > MAX_JWKS_BYTES) return { failure: `is larger than ${MAX_JWKS_BYTES} bytes` };
    return { content: await readFile(path, "utf8") };
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    return { failure: `cannot be read (${code})` };
  }
}

function isBase64(url: string): boolean {
  return url.slice(0, BASE64_PREFIX.length).toLowerCase() === BASE64_PREFIX;
}

function decodeBase64(url: string): string {
  return Buffer.from(url.slice(BASE64_PREFIX.length), "base64").toString("utf8");
}
