/** Keys move from one store to another while they are used: with real processes, as docs/operations/move.md says it. */

import { randomBytes } from "node:crypto";
import { cpSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, expect, test } from "@jest/globals";
import { MONGO_SKIPPED, mongoTestUri } from "../mongo-server.js";
import { Api } from "./api.js";
import { ChildService } from "./child-service.js";
import { createFetchRestClient } from "./clients/rest-client.js";
import { LatchkeyProcess, runLatchkey } from "./latchkey-process.js";
import { adminTokens, randomTokens } from "./server.js";

const KEYS = 100;
const PERMISSIONS = 0o777;
const TIMEOUT_MS = 120_000;

const parent = mkdtempSync(join(tmpdir(), "latchkey-move-"));
const tokens = randomTokens();
const services: ChildService[] = [];
afterAll(async () => {
  await Promise.all(services.map((service) => service.stop()));
  rmSync(parent, { recursive: true });
});

/** Every verification of these credentials has to answer so, from the moment that they are known here. */
class Verifications {
  api: Api;
  readonly wrong: string[] = [];
  count = 0;
  /** An object of its own for each change: a key that was deleted and came back meanwhile is told from one that stayed. */
  readonly #expected = new Map<string, { readonly isValid: boolean }>();
  #isStopped = false;
  #running: Promise<void> = Promise.resolve();

  constructor(api: Api) {
    this.api = api;
  }

  start(): void {
    this.#running = this.#run();
  }

  set(credential: string, isValid: boolean): void {
    this.#expected.set(credential, { isValid });
  }

  /** While a call is under way that will change the answer, either is right. */
  forget(credential: string): void {
    this.#expected.delete(credential);
  }

  credentials(isValid: boolean): string[] {
    return [...this.#expected].filter(([, expected]) => expected.isValid === isValid).map(([credential]) => credential);
  }

  /** Each that is known, once. */
  async verifyAll(): Promise<void> {
    for (const [credential] of [...this.#expected]) await this.#verify(credential);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      await this.verifyAll();
      await nextTurn();
    }
  }

  async #verify(credential: string): Promise<void> {
    const before = this.#expected.get(credential);
    const answer = await this.api.verify(credential).catch((error: unknown) => String(error));
    const after = this.#expected.get(credential);
    this.count += 1;
    if (before === undefined || before !== after) return;
    if (typeof answer === "string" || answer.is_valid !== before.isValid) {
      this.wrong.push(`${before.isValid ? "valid" : "not valid"}: ${JSON.stringify(answer)}`);
    }
  }
}

async function serve(env: Readonly<Record<string, string>>): Promise<{ service: ChildService; api: Api }> {
  const service = new ChildService({
    env: { LATCHKEY_ADMIN_TOKENS: adminTokens(tokens), LATCHKEY_LOG_LEVEL: "warn", ...env },
  });
  services.push(service);
  return { service, api: new Api(createFetchRestClient(await service.ready()), tokens) };
}

/** Makes keys and changes, of every sort, until it is stopped. */
class Changes {
  #isStopped = false;
  #running: Promise<void> = Promise.resolve();
  count = 0;

  constructor(
    readonly api: Api,
    readonly verifications: Verifications,
  ) {}

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async once(): Promise<void> {
    const { api, verifications } = this;
    const rawKey = `legacy-${randomBytes(16).toString("hex")}`;
    const [issued, rotated, revoked] = await Promise.all(
      ["stays", "rotated", "revoked"].map((name) => api.issue({ name, actor_id: "a", metadata: { n: this.count } })),
    );
    if (issued === undefined || rotated === undefined || revoked === undefined) throw new Error("nothing was issued");
    for (const { secret } of [issued, rotated, revoked]) verifications.set(secret, true);
    const imported = await api.importKey({ raw_key: rawKey, actor_id: "b" });
    verifications.set(rawKey, true);

    verifications.forget(rotated.secret);
    verifications.forget(revoked.secret);
    const next = await api.rotate(rotated.issued_api_key.key_id);
    verifications.set(rotated.secret, false);
    verifications.set(next.secret, true);
    await api.revoke(revoked.issued_api_key.key_id);
    verifications.set(revoked.secret, false);
    if (this.count % 2 === 0) {
      verifications.forget(rawKey);
      await api.deleteImported(imported.key_id);
      verifications.set(rawKey, false);
    }
    if (this.count % 4 === 0) {
      verifications.forget(rawKey);
      await api.importKey({ raw_key: rawKey, actor_id: "again" });
      verifications.set(rawKey, true);
    }
    this.count += 1;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) await this.once();
  }
}

async function move(name: string, source: Readonly<Record<string, string>>, target: Readonly<Record<string, string>>) {
  const oldEnv = { ...source, LATCHKEY_DATA_DIR: join(parent, name, "old") };
  const newEnv = { ...target, LATCHKEY_DATA_DIR: join(parent, name, "new") };
  const file = join(parent, name, "keys.jsonl");
  const old = await serve(oldEnv);
  const verifications = new Verifications(old.api);
  const changes = new Changes(old.api, verifications);
  while (changes.count * 4 < KEYS) await changes.once();
  const [parentKey = ""] = verifications.credentials(true);
  for (const algorithm of ["TOKEN_ALGORITHM_JWT", "TOKEN_ALGORITHM_MACAROON"]) {
    verifications.set((await old.api.derive(parentKey, { algorithm })).token, true);
  }
  verifications.start();
  changes.start();

  // Follow while keys change; stop the changes; cut over.
  const exporting = new LatchkeyProcess(["export", file, "--follow"], oldEnv);
  await exporting.said(/^pass 3: /m);
  await changes.stop();
  exporting.kill("SIGTERM");
  expect(await exporting.ended).toBe(0);
  const [, exported] = /^exported (\d+) keys$/m.exec(exporting.stderr) ?? [];
  expect(statSync(file).mode & PERMISSIONS).toBe(0o600);
  expect(Number(exported)).toBeGreaterThan(KEYS);
  const passes = [...exporting.stderr.matchAll(/^pass \d+: \d+ keys, (\d+) changed/gm)].map(([, count]) =>
    Number(count),
  );
  expect(passes.slice(1).some((changed) => changed > 0)).toBe(true);
  expect(passes.at(-1)).toBe(0);

  // The old service goes on answering until the new one does.
  cpSync(join(parent, name, "old", "secrets"), join(parent, name, "new", "secrets"), { recursive: true });
  const restored = await runLatchkey(["restore", file], newEnv);
  expect(restored).toMatchObject({
    code: 0,
    stdout: "",
    stderr: expect.stringContaining(`restored ${exported} keys\n`),
  });
  const fresh = await serve(newEnv);
  verifications.api = fresh.api;
  const countOfOld = verifications.count;
  old.service.kill("SIGTERM");
  expect(await old.service.ended).toEqual({ code: 0, signal: null });
  await verifications.stop();
  await verifications.verifyAll();
  expect(verifications.wrong).toEqual([]);
  expect(countOfOld).toBeGreaterThan(KEYS);
  expect(verifications.count - countOfOld).toBeGreaterThan(KEYS);
  expect(verifications.credentials(false).length).toBeGreaterThan(KEYS / 4);

  // It is a service like any other: its keys can be changed, and what was revoked stays so.
  const [credential = ""] = verifications.credentials(true).slice(-3);
  const { key_id: keyId } = await fresh.api.verify(credential);
  await fresh.api.revoke(String(keyId));
  expect(await fresh.api.verify(credential)).toMatchObject({ is_valid: false });
}

test(
  "from one machine to another: no valid key fails, no revoked key passes",
  async () => {
    await move("embedded", {}, {});
  },
  TIMEOUT_MS,
);

const server = await mongoTestUri();
if (server === undefined) {
  test.skip(`from one machine to MongoDB, ${MONGO_SKIPPED}`, () => {});
} else {
  afterAll(() => server.dispose());
  test(
    "from one machine to MongoDB: no valid key fails, no revoked key passes",
    async () => {
      await move("mongo", {}, { LATCHKEY_STORE_MONGODB_URI: server.uri });
    },
    TIMEOUT_MS,
  );
}

const source = await mongoTestUri();
if (source === undefined) {
  test.skip(`from MongoDB to one machine, ${MONGO_SKIPPED}`, () => {});
} else {
  afterAll(() => source.dispose());
  test(
    "from MongoDB to one machine: no valid key fails, no revoked key passes",
    async () => {
      await move("back", { LATCHKEY_STORE_MONGODB_URI: source.uri }, {});
    },
    TIMEOUT_MS,
  );
}
