/** The first start, and the starts that must not be: with a real process. */

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { MongoClient } from "mongodb";
import { MONGO_SKIPPED, mongoTestUri } from "../mongo-server.js";
import { ChildService } from "./child-service.js";
import { bearer } from "./clients/api-client.js";
import { runLatchkey } from "./latchkey-process.js";
import { randomToken } from "./server.js";

const PERMISSIONS = 0o777;
/** nobody, on most systems: any user but root will do. */
const OTHER_UID = 65_534;

let directory: string;
const children: ChildService[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "latchkey-process-"));
});
afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.stop()));
  rmSync(directory, { recursive: true });
});

function start(env: Record<string, string>, options: { cwd?: string; uid?: number } = {}): ChildService {
  const child = new ChildService({ env, ...options });
  children.push(child);
  return child;
}

/** What a process that must not start says; it must end with exit code 1. */
async function failure(env: Record<string, string>, options: { cwd?: string; uid?: number } = {}): Promise<string> {
  const child = start(env, options);
  expect(await child.ended).toEqual({ code: 1, signal: null });
  expect(child.stdout).not.toContain('"msg":"ready"');
  return child.stderr;
}

async function issue(url: string, token: string): Promise<{ status: number; secret: string }> {
  const response = await fetch(`${url}/v2alpha1/admin/issuedApiKeys`, {
    method: "POST",
    headers: { ...bearer(token), "content-type": "application/json" },
    body: '{"name":"n","actor_id":"a"}',
  });
  const { secret = "" } = (await response.json()) as { secret?: string };
  return { status: response.status, secret };
}

describe("the first start", () => {
  test("makes ./data with secrets that nobody else can read, says where they are, and never what", async () => {
    const child = start({}, { cwd: directory });
    const url = await child.ready();
    const mode = (...path: string[]) => statSync(join(directory, "data", ...path)).mode & PERMISSIONS;
    expect([mode(), mode("secrets"), mode("store")]).toEqual([0o700, 0o700, 0o700]);
    const secrets = join(directory, "data", "secrets");
    const files = readdirSync(secrets).sort();
    expect(files).toEqual(["admin-token", "hmac", "pepper", "signing-jwks.json"]);
    expect(files.map((file) => mode("secrets", file))).toEqual([0o600, 0o600, 0o600, 0o600]);

    expect(child.stderr).toContain("  store    embedded, in data/store\n");
    expect(child.stderr).toContain("  secrets  data/secrets (hmac, pepper, admin-token, signing-jwks.json)\n");
    expect(child.stderr).toContain('curl -H "Authorization: Bearer $(cat data/secrets/admin-token)"');
    expect(child.stderr).toContain("npx buf curl --protocol grpc --http2-prior-knowledge");

    const token = readFileSync(join(secrets, "admin-token"), "utf8").trim();
    const { status, secret } = await issue(url, token);
    expect(status).toBe(201);
    const { hostname } = new URL(url);
    expect(hostname).toBe("127.0.0.1");

    child.kill("SIGTERM");
    expect(await child.ended).toEqual({ code: 0, signal: null });
    const said = child.stdout + child.stderr;
    const [hmac, pepper] = ["hmac", "pepper"].map((file) => readFileSync(join(secrets, file), "utf8").trim());
    for (const text of [token, secret, hmac, pepper]) {
      expect(text?.length).toBeGreaterThan(30);
      expect(said).not.toContain(text);
    }
  });

  test("is the only one that makes secrets: the next uses them, and finds the keys", async () => {
    const env = { LATCHKEY_DATA_DIR: join(directory, "data") };
    const secrets = join(directory, "data", "secrets");
    const read = () => readdirSync(secrets).map((file) => [file, readFileSync(join(secrets, file), "utf8")]);
    const first = start(env);
    const firstUrl = await first.ready();
    const made = read();
    const token = readFileSync(join(secrets, "admin-token"), "utf8").trim();
    const { secret } = await issue(firstUrl, token);
    first.kill("SIGTERM");
    await first.ended;

    const url = await start(env).ready();
    expect(read()).toEqual(made);
    const response = await fetch(`${url}/v2alpha1/admin/apiKeys:verify`, {
      method: "POST",
      headers: { ...bearer(token), "content-type": "application/json" },
      body: JSON.stringify({ credential: secret }),
    });
    expect(await response.json()).toMatchObject({ is_valid: true, actor_id: "a" });
  });
});

describe("an address that other machines can reach", () => {
  test("needs secrets and admin tokens of its own, and the process says which", async () => {
    const said = await failure({ LATCHKEY_SERVER_HOST: "0.0.0.0" }, { cwd: directory });
    expect(said).toContain("the configuration has 3 mistakes");
    for (const name of ["LATCHKEY_SECRETS_HMAC_CURRENT", "LATCHKEY_SECRETS_PEPPER", "LATCHKEY_ADMIN_TOKENS"]) {
      expect(said).toContain(`set ${name}`);
    }
    expect(readdirSync(directory)).toEqual([]);
  });

  test("is fine with them", async () => {
    const child = start(
      {
        LATCHKEY_SERVER_HOST: "0.0.0.0",
        LATCHKEY_SECRETS_HMAC_CURRENT: "0123456789abcdef0123456789abcdef",
        LATCHKEY_SECRETS_PEPPER: "fedcba9876543210fedcba9876543210",
        LATCHKEY_ADMIN_TOKENS: '[{"name":"ops","token":"0123456789abcdef","role":"admin"}]',
      },
      { cwd: directory },
    );
    const { port } = new URL(await child.ready());
    expect((await issue(`http://127.0.0.1:${port}`, "0123456789abcdef")).status).toBe(201);
    expect(readdirSync(join(directory, "data", "secrets"))).toEqual(["signing-jwks.json"]);
  });
});

const isRoot = process.getuid?.() === 0;
const canBeRefused = !isRoot || canRunAs(OTHER_UID);

(canBeRefused ? describe : describe.skip)(
  canBeRefused
    ? "a place that may not be written"
    : "a place that may not be written, skipped: run it as another user than root",
  () => {
    const options = isRoot ? { uid: OTHER_UID } : {};

    test("a read-only data directory", async () => {
      const dataDir = join(directory, "data");
      openToOthers(directory);
      mkdirSync(dataDir, { mode: 0o555 });
      const said = await failure({ LATCHKEY_DATA_DIR: dataDir }, { cwd: directory, ...options });
      expect(said).toBe(
        `latchkey: ${dataDir}: opening the data directory for writing failed: this user may not do that (EACCES)\n`,
      );
    });

    test("a read-only store", async () => {
      const dataDir = join(directory, "data");
      openToOthers(directory);
      mkdirSync(join(dataDir, "store"), { recursive: true });
      if (isRoot) for (const path of [dataDir, join(dataDir, "store")]) chownSync(path, OTHER_UID, OTHER_UID);
      chmodSync(join(dataDir, "store"), 0o555);
      const said = await failure({ LATCHKEY_DATA_DIR: dataDir }, { cwd: directory, ...options });
      expect(said).toBe(
        `latchkey: the store directory ${join(dataDir, "store")} cannot be written: it is read-only for this user (EACCES)\n`,
      );
    });
  },
);

describe("a place that is taken", () => {
  test("a file where the data directory should be", async () => {
    const said = await failure({ LATCHKEY_DATA_DIR: process.execPath }, { cwd: directory });
    expect(said).toBe(`latchkey: ${process.execPath}: making the directory failed: a file is in the way (EEXIST)\n`);
  });

  test("a port in use", async () => {
    const env = { LATCHKEY_DATA_DIR: join(directory, "data") };
    const { port } = new URL(await start(env).ready());
    const said = await failure({ ...env, LATCHKEY_SERVER_PORT: port });
    expect(said).toBe(`latchkey: listen EADDRINUSE: address already in use 127.0.0.1:${port}\n`);
  });
});

describe("a MongoDB that cannot be used", () => {
  const uri = "mongodb://user:hunter2-password@127.0.0.1:1/latchkey";
  const unreachable = { LATCHKEY_STORE_MONGODB_URI: uri, LATCHKEY_STORE_MONGODB_TIMEOUT: "500ms" };
  const said =
    "latchkey: MongoDB at 127.0.0.1:1 cannot be reached (ECONNREFUSED, no usable answer within 500 ms)\n" +
    "  is it running, and does store.mongodb.uri (LATCHKEY_STORE_MONGODB_URI) name its servers?\n";

  test("nobody at the address: exit code 3 in time, without the password", async () => {
    const startedAt = Date.now();
    const child = start(unreachable, { cwd: directory });
    expect(await child.ended).toEqual({ code: 3, signal: null });
    expect(child.stderr).toBe(said);
    expect(child.stdout).not.toContain("hunter2");
    expect(Date.now() - startedAt).toBeLessThan(10_000);
  });

  test.each([
    ["migrate", "up"],
    ["migrate", "status"],
    ["export", "-"],
  ])("nobody at the address: %s %s, exit code 3", async (...words) => {
    const env = { ...unreachable, LATCHKEY_SECRETS_PEPPER: randomToken() };
    expect(await runLatchkey(words, env)).toEqual({ code: 3, stdout: "", stderr: said });
  });

  test("nobody who answers: exit code 3", async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket));
    await once(silent.listen(0, "127.0.0.1"), "listening");
    const { port } = silent.address() as AddressInfo;
    const env = { ...unreachable, LATCHKEY_STORE_MONGODB_URI: `mongodb://127.0.0.1:${port}` };
    for (const words of [["serve"], ["migrate", "up"]]) {
      const { code, stderr } = await runLatchkey(words, { ...env, LATCHKEY_DATA_DIR: join(directory, "data") });
      expect({ code, stderr }).toEqual({
        code: 3,
        stderr: expect.stringContaining(`latchkey: MongoDB at 127.0.0.1:${port} `),
      });
      expect(stderr).toContain(" within 500 ms");
    }
    for (const socket of sockets) socket.destroy();
    await once(silent.close(), "close");
  });

  test("a URI that is none", async () => {
    const uri = "mongodb://user:hunter2-password@host:99999/latchkey";
    const said = await failure({ LATCHKEY_STORE_MONGODB_URI: uri }, { cwd: directory });
    expect(said).toMatch(/^latchkey: the MongoDB URI cannot be read: see \S+\n$/);
  });
});

const mongo = await mongoTestUri();

(mongo === undefined ? describe.skip : describe)(
  mongo === undefined ? `a MongoDB that refuses, ${MONGO_SKIPPED}` : "a MongoDB that refuses",
  () => {
    afterAll(() => mongo?.dispose());

    test("a user name and password: exit code 1, without the password", async () => {
      const uri = new URL(mongo?.uri ?? "");
      uri.username = "somebody";
      uri.password = "hunter2-password";
      uri.searchParams.set("authSource", "admin");
      const env = { LATCHKEY_STORE_MONGODB_URI: uri.href, LATCHKEY_STORE_MONGODB_TIMEOUT: "2s" };
      const child = start(env, { cwd: directory });
      expect(await child.ended).toEqual({ code: 1, signal: null });
      expect(child.stderr).toBe(`latchkey: MongoDB at ${uri.host} refused the user name or password\n`);
      expect(child.stdout + child.stderr).not.toContain("hunter2");
      expect(await runLatchkey(["migrate", "up"], env)).toEqual({ code: 1, stdout: "", stderr: child.stderr });
    });

    test("a release that is too old for its schema: exit code 1", async () => {
      const client = new MongoClient(mongo?.uri ?? "");
      const schema = client.db().collection<{ _id: string }>("schema");
      await schema.updateOne({ _id: "schema" }, { $set: { version: 99, compatible_version: 98 } }, { upsert: true });
      await client.close();
      const env = { LATCHKEY_STORE_MONGODB_URI: mongo?.uri ?? "", LATCHKEY_DATA_DIR: join(directory, "data") };
      for (const words of [["serve"], ["migrate", "up"], ["migrate", "status"]]) {
        expect(await runLatchkey(words, env)).toEqual({
          code: 1,
          stdout: "",
          stderr: expect.stringMatching(
            /^latchkey: the database \S+ has schema version 99, this release knows 3: run a newer release\n$/,
          ),
        });
      }
    });
  },
);

/** Whether another user can read these sources: root may do everything, and so can be refused nothing. */
function canRunAs(uid: number): boolean {
  const read = "require('node:fs').readFileSync(process.argv[1])";
  const source = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
  return spawnSync(process.execPath, ["-e", read, source], { uid }).status === 0;
}

function openToOthers(path: string): void {
  chmodSync(path, 0o755);
}
