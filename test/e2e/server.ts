import { type JsonWebKey, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startService } from "../../src/cli/start-service.js";
import { loadConfig } from "../../src/config/load-config.js";
import { formatMistake } from "../../src/config/mistake.js";
import { createLogger } from "../../src/telemetry/logger.js";

const SECRET_BYTES = 32;

export interface Tokens {
  readonly admin: string;
  /** Of a second caller who may do what the first may. */
  readonly otherAdmin: string;
  readonly reader: string;
  readonly verifier: string;
}

/** A private JWK with its kid. */
export type SigningJwk = JsonWebKey & { readonly kid: string };

export interface TestServer {
  readonly url: string;
  /** Host and port. */
  readonly address: string;
  readonly tokens: Tokens;
  /** The generated key that tokens are signed with; `undefined` when the settings name a set. */
  readonly signingJwk: SigningJwk | undefined;
  /** Every line of the log so far. */
  readonly log: readonly string[];
  close(): Promise<void>;
}

export interface TestServerOptions {
  /** Absent: the embedded store, in a directory of its own. */
  readonly mongodbUri?: string | undefined;
  /** More settings, as environment variables. */
  readonly env?: Readonly<Record<string, string>>;
}

export function randomToken(): string {
  return randomBytes(SECRET_BYTES).toString("hex");
}

export function randomTokens(): Tokens {
  return { admin: randomToken(), otherAdmin: randomToken(), reader: randomToken(), verifier: randomToken() };
}

/** `LATCHKEY_ADMIN_TOKENS` for these tokens. */
export function adminTokens(tokens: Tokens): string {
  const roles = Object.entries(tokens).map(([name, token]) => ({
    name,
    token,
    role: name === "otherAdmin" ? "admin" : name,
  }));
  return JSON.stringify(roles);
}

/** Starts the whole service in this process, on a free port, with a log that is kept in memory. */
export async function startTestServer({ mongodbUri, env = {} }: TestServerOptions = {}): Promise<TestServer> {
  const directory = mkdtempSync(join(tmpdir(), "latchkey-e2e-"));
  const tokens = randomTokens();
  const { config, mistakes } = loadConfig({
    file: undefined,
    env: {
      LATCHKEY_SERVER_PORT: "0",
      LATCHKEY_DATA_DIR: join(directory, "data"),
      LATCHKEY_LOG_LEVEL: "trace",
      LATCHKEY_ADMIN_TOKENS: adminTokens(tokens),
      ...(mongodbUri !== undefined && { LATCHKEY_STORE_MONGODB_URI: mongodbUri }),
      ...env,
    },
  });
  if (config === undefined) throw new Error(mistakes.map(formatMistake).join("\n"));

  const log: string[] = [];
  const destination = { write: (line: string) => void log.push(line) };
  const service = await startService(config, createLogger({ level: config.log.level, destination }));
  return {
    url: service.url,
    address: new URL(service.url).host,
    tokens,
    signingJwk: config.tokens.signingJwksUrls === undefined ? readSigningJwk(config.dataDir) : undefined,
    log,
    close: async () => {
      await service.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The key that a service has generated. */
export function readSigningJwk(dataDir: string): SigningJwk | undefined {
  const jwks = JSON.parse(readFileSync(join(dataDir, "secrets", "signing-jwks.json"), "utf8")) as {
    keys: SigningJwk[];
  };
  return jwks.keys[0];
}

/** The warnings and worse of a log. */
export function seriousLines(log: readonly string[]): string[] {
  return log.filter((line) => /"level":"(warn|error|fatal)"/.test(line));
}

/** What a log has that should not be there. That MongoDB is a standalone server is what the tests run on. */
export function troubleIn(log: readonly string[]): string[] {
  return seriousLines(log).filter((line) => !line.includes('"msg":"MongoDB is a standalone server'));
}
