/** SIGHUP, and `latchkey secrets`: secrets are replaced under real processes that go on answering. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { isInstalled } from "../is-installed.js";
import { ChildService } from "./child-service.js";
import { bearer } from "./clients/api-client.js";
import { eventually } from "./eventually.js";
import { randomToken } from "./server.js";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const LOADER = fileURLToPath(new URL("../ts-loader.mjs", import.meta.url));
const ADMIN = "/v2alpha1/admin";
const READ_AGAIN = "the secrets were read again";
const NOT_READ = "a secret cannot be read; everything stays as it was";
/** Callers at the same time, each with a connection of its own for every call. */
const CALLERS = 4;
const OVERLAP = "2s";
/** Nothing new is used in a test. */
const LONG_OVERLAP = "1h";
const TIMEOUT_MS = 90_000;

interface Line {
  readonly msg: string;
  readonly level: string;
  readonly setting?: string;
  readonly worker?: number;
  readonly pid?: number;
  readonly mistakes?: readonly string[];
  readonly err?: { readonly message: string };
}

let directory: string;
let service: ChildService;
let url: string;
let token: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "latchkey-reload-"));
});
afterEach(async () => {
  await service.stop();
  rmSync(directory, { recursive: true });
});

async function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<void> {
  service = new ChildService({ args, env: { LATCHKEY_DATA_DIR: directory, ...env } });
  url = await service.ready();
  await service.logged("ready");
}

function useGeneratedToken(): void {
  token = readFileSync(join(directory, "secrets", "admin-token"), "utf8").trim();
}

function latchkey(...words: readonly string[]): string {
  const { PATH = "" } = process.env;
  const env = { PATH, LATCHKEY_DATA_DIR: directory };
  return execFileSync(process.execPath, ["--import", LOADER, MAIN, ...words], { env, encoding: "utf8" });
}

function lines(msg: string): Line[] {
  const all = service.stdout.split("\n").slice(0, -1);
  return all.map((line): Line => JSON.parse(line)).filter((line) => line.msg === msg);
}

/** Sends SIGHUP, and waits until so many processes have said `msg` once more. */
async function hangUp(processes = 1, msg = READ_AGAIN): Promise<void> {
  const before = lines(msg).length;
  service.kill("SIGHUP");
  await eventually(`"${msg}"`, () => lines(msg).length === before + processes || undefined);
}

/** Any JSON answer, as it comes. */
type Answer = { readonly status: number; readonly body: Record<string, never> };

async function call(method: "GET" | "POST", path: string, body?: object): Promise<Answer> {
  const headers = { ...bearer(token), "content-type": "application/json", connection: "close" };
  const response = await fetch(`${url}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  return { status: response.status, body: (await response.json()) as Record<string, never> };
}

async function post(path: string, body: object): Promise<Record<string, never>> {
  return (await call("POST", `${ADMIN}/${path}`, body)).body;
}

async function issue(): Promise<string> {
  return (await post("issuedApiKeys", { name: "n", actor_id: "a" })).secret ?? "";
}

async function derive(credential: string, algorithm: "JWT" | "MACAROON"): Promise<string> {
  const { token: derived } = await post("apiKeys:derive", { credential, algorithm: `TOKEN_ALGORITHM_${algorithm}` });
  return (derived as unknown as { token: string }).token;
}

/** The verdict of each of several calls, which different processes may take. */
async function verdicts(credential: string): Promise<string[]> {
  const answers = await Promise.all(Array.from({ length: CALLERS }, () => post("apiKeys:verify", { credential })));
  return [...new Set(answers.map(({ error_code }) => String(error_code)))];
}

const GOOD = ["VERIFICATION_ERROR_UNSPECIFIED"];
const WRONG = ["VERIFICATION_ERROR_SIGNATURE_INVALID"];

function kidOf(jwt: string): string {
  return JSON.parse(Buffer.from(jwt.split(".")[0] ?? "", "base64url").toString()).kid;
}

async function publishedKids(): Promise<string[]> {
  const { body } = await call("GET", "/v2alpha1/derivedKeys/jwks.json");
  return (body.keys as unknown as { kid: string }[]).map(({ kid }) => kid);
}

function page(pageToken: string): Promise<Answer> {
  return call("GET", `${ADMIN}/issuedApiKeys?page_size=1&page_token=${pageToken}`);
}

/** Calls one after another: keys, page tokens and macaroons that one process makes, and another may read. */
async function work(secret: string, signal: AbortSignal, answers: string[]): Promise<void> {
  while (!signal.aborted) {
    const first = await page("");
    answers.push(`list ${first.status}`);
    answers.push(`next page ${(await page(first.body.next_page_token ?? "")).status}`);
    for (const credential of [secret, await derive(secret, "MACAROON"), await derive(secret, "JWT")]) {
      answers.push(`verify ${(await post("apiKeys:verify", { credential })).error_code}`);
    }
  }
}

describe.each([1, 2])("with %i process(es), generated secrets are rotated and forgotten", (workers) => {
  test(
    "without a call that fails, and with what was made before as good as before",
    async () => {
      await start(["--workers", String(workers)]);
      useGeneratedToken();
      const secret = await issue();
      await issue();
      const [oldMacaroon, oldJwt] = [await derive(secret, "MACAROON"), await derive(secret, "JWT")];
      const oldPage = String((await page("")).body.next_page_token);

      const stop = new AbortController();
      const answers: string[] = [];
      const callers = Array.from({ length: CALLERS }, () => work(secret, stop.signal, answers));
      latchkey("secrets", "rotate", "hmac", "--use-after", OVERLAP);
      latchkey("secrets", "rotate", "signing-key", "--use-after", OVERLAP);
      await hangUp(workers);
      const [oldKid, newKid] = await publishedKids();
      expect(kidOf(oldJwt)).toBe(oldKid);
      const newJwt = await eventually("the new key to sign", async () => {
        const jwt = await derive(secret, "JWT");
        return kidOf(jwt) === newKid ? jwt : undefined;
      });
      const newMacaroon = await derive(secret, "MACAROON");
      stop.abort();
      await Promise.all(callers);
      expect(new Set(answers)).toEqual(new Set(["list 200", "next page 200", `verify ${GOOD[0]}`]));
      for (const credential of [oldMacaroon, oldJwt, newMacaroon, newJwt]) {
        expect(await verdicts(credential)).toEqual(GOOD);
      }
      expect((await page(oldPage)).status).toBe(200);

      const newPage = String((await page("")).body.next_page_token);
      latchkey("secrets", "forget", "hmac", "--all");
      latchkey("secrets", "forget", "signing-key", "--all");
      await hangUp(workers);
      for (const credential of [oldMacaroon, oldJwt]) expect(await verdicts(credential)).toEqual(WRONG);
      for (const credential of [newMacaroon, newJwt]) expect(await verdicts(credential)).toEqual(GOOD);
      expect((await page(oldPage)).status).toBe(400);
      expect((await page(newPage)).status).toBe(200);
      expect(await publishedKids()).toEqual([newKid]);

      service.kill("SIGTERM");
      expect(await service.ended).toEqual({ code: 0, signal: null });
    },
    TIMEOUT_MS,
  );
});

test(
  "while one process has read the new secrets and another has not, each takes what the other makes",
  async () => {
    await start([]);
    useGeneratedToken();
    const secret = await issue();
    await issue();
    const other = new ChildService({ env: { LATCHKEY_DATA_DIR: directory } });
    try {
      const urls = [url, await other.ready()];
      const exchange = async () => {
        for (const [maker, taker] of [urls, urls.toReversed()] as [string, string][]) {
          url = maker;
          const made = [await derive(secret, "MACAROON"), await derive(secret, "JWT")];
          const pageToken = String((await page("")).body.next_page_token);
          url = taker;
          for (const credential of made) expect(await verdicts(credential)).toEqual(GOOD);
          expect((await page(pageToken)).status).toBe(200);
        }
      };
      latchkey("secrets", "rotate", "hmac", "--use-after", LONG_OVERLAP);
      latchkey("secrets", "rotate", "signing-key", "--use-after", LONG_OVERLAP);
      await hangUp();
      expect(await publishedKids()).toHaveLength(2);
      await exchange();
      other.kill("SIGHUP");
      await other.logged(READ_AGAIN);
      await exchange();
    } finally {
      await other.stop();
    }
  },
  TIMEOUT_MS,
);

test(
  "a worker takes SIGHUP by itself, too",
  async () => {
    await start(["--workers", "2"]);
    const { pid = 0, worker } = lines("a worker is ready")[1] ?? {};
    process.kill(pid, "SIGHUP");
    await service.logged(READ_AGAIN);
    expect(lines(READ_AGAIN)).toMatchObject([{ worker }]);
  },
  TIMEOUT_MS,
);

describe("a configuration that changed", () => {
  const [oldToken, newToken, oldHmac, newHmac] = [randomToken(), randomToken(), randomToken(), randomToken()];
  const file = () => join(directory, "latchkey.yaml");

  function configure({ adminToken = oldToken, hmac = oldHmac, retired = "", more = "" }): void {
    const tokens = `admin:\n  tokens: [{ name: ops, token: ${adminToken}, role: admin }]\n`;
    writeFileSync(file(), `${tokens}secrets:\n  hmac:\n    current: ${hmac}\n    retired: [${retired}]\n${more}`);
  }

  beforeEach(async () => {
    configure({});
    token = oldToken;
    await start(["--config", file()]);
  });

  test("is taken at SIGHUP: tokens of the admin API, and secrets.hmac", async () => {
    const secret = await issue();
    const macaroon = await derive(secret, "MACAROON");
    configure({ adminToken: newToken, hmac: newHmac, retired: oldHmac });
    expect(await verdicts(secret)).toEqual(GOOD);
    await hangUp();
    expect((await call("POST", `${ADMIN}/apiKeys:verify`, { credential: secret })).status).toBe(401);
    token = newToken;
    expect(await verdicts(macaroon)).toEqual(GOOD);

    configure({ adminToken: newToken, hmac: newHmac });
    await hangUp();
    expect(await verdicts(macaroon)).toEqual(WRONG);
  });

  test("is not taken when it is wrong, and the log says why", async () => {
    const secret = await issue();
    configure({ adminToken: newToken, hmac: newHmac, more: "keys: { max_ttl: hunter2 }\n" });
    const message = "the configuration is wrong; everything stays as it was";
    await hangUp(1, message);
    expect(lines(message)).toMatchObject([
      { level: "error", mistakes: [`keys.max_ttl (${file()}:7): must be a duration such as 500ms, 2s, 1h30m or 30d`] },
    ]);
    expect(lines(READ_AGAIN)).toEqual([]);
    expect(await verdicts(secret)).toEqual(GOOD);
    expect(service.stdout).not.toContain("hunter2");
  });

  test("is taken but for what takes a restart, which is named", async () => {
    const pepper = randomToken();
    configure({ adminToken: newToken, more: `  pepper: ${pepper}\nlog: { level: error }\n` });
    await hangUp();
    expect(lines("a setting was changed that takes a restart; it stays as it was")).toMatchObject([
      { level: "warn", setting: "secrets.pepper" },
      { level: "warn", setting: "log.level" },
    ]);
    token = newToken;
    expect(await verdicts(await issue())).toEqual(GOOD);
    for (const text of [pepper, newToken]) expect(service.stdout).not.toContain(text);
  });
});

test(
  "signing keys that cannot be read leave everything as it was, too",
  async () => {
    await start([]);
    useGeneratedToken();
    const secret = await issue();
    const [macaroon, jwt] = [await derive(secret, "MACAROON"), await derive(secret, "JWT")];
    for (const name of ["hmac", "signing-key"]) {
      latchkey("secrets", "rotate", name, "--use-after", "0s");
      latchkey("secrets", "forget", name, "--all");
    }
    const [jwks, tokenFile] = ["signing-jwks.json", "admin-token"].map((name) => join(directory, "secrets", name));
    chmodSync(String(jwks), 0o644);
    writeFileSync(String(tokenFile), `${randomToken()}\n`);
    await hangUp(1, NOT_READ);
    const problem = `${jwks}: other users of this machine can use it (mode 644): run chmod 600 ${jwks}`;
    expect(lines(NOT_READ)).toMatchObject([{ level: "error", err: { message: problem } }]);
    for (const credential of [macaroon, jwt]) expect(await verdicts(credential)).toEqual(GOOD);
    expect(lines(READ_AGAIN)).toEqual([]);

    chmodSync(String(jwks), 0o600);
    await hangUp();
    useGeneratedToken();
    for (const credential of [macaroon, jwt]) expect(await verdicts(credential)).toEqual(WRONG);
  },
  TIMEOUT_MS,
);

test(
  "sets of signing keys that are configured and cannot be read leave everything as it was, too",
  async () => {
    const file = join(directory, "jwks.json");
    latchkey("jwk", "generate", "eddsa", "--out", file);
    await start([], { LATCHKEY_TOKENS_SIGNING_JWKS_URLS: `file://${file}` });
    writeFileSync(file, "{}");
    await hangUp(1, NOT_READ);
    const problem = `tokens.signing_jwks_urls[0] (file://${file}): must be a JSON object with a list of "keys"`;
    expect(lines(NOT_READ)).toMatchObject([{ level: "error", err: { message: problem } }]);
  },
  TIMEOUT_MS,
);

const hasMkfifo = isInstalled("mkfifo");

(hasMkfifo ? test : test.skip).each([1, 2])(
  `with %i process(es), SIGHUP while they start is done when they are up${hasMkfifo ? "" : ", skipped: there is no mkfifo"}`,
  async (workers) => {
    const [file, hmac] = [join(directory, "hmac"), randomToken()];
    execFileSync("mkfifo", [file]);
    const env = { LATCHKEY_DATA_DIR: directory, LATCHKEY_SECRETS_HMAC_CURRENT_FILE: file };
    service = new ChildService({ args: ["--workers", String(workers)], env });
    const reader = await open(file, "w"); // opens when the service reads its configuration, and waits for the rest
    service.kill("SIGHUP");
    rmSync(file);
    writeFileSync(file, hmac);
    await reader.writeFile(hmac);
    await reader.close();
    await service.ready();
    await eventually("the reload", () => lines(READ_AGAIN).length === workers || undefined);
    await hangUp(workers);
  },
  TIMEOUT_MS,
);

test(
  "a secret that cannot be read leaves everything as it was",
  async () => {
    await start([]);
    useGeneratedToken();
    const macaroon = await derive(await issue(), "MACAROON");
    const hmac = join(directory, "secrets", "hmac");
    writeFileSync(hmac, "hunter2\n");
    await hangUp(1, NOT_READ);
    const problem = `${hmac}: is too short: must have at least 32 characters; restore it from a backup`;
    expect(lines(NOT_READ)).toMatchObject([{ level: "error", err: { message: problem } }]);
    expect(await verdicts(macaroon)).toEqual(GOOD);
  },
  TIMEOUT_MS,
);
