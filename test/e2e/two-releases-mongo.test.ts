/** Processes of the release before and of this one on one MongoDB, as an upgrade has them: each with the same secrets. */
import { randomUUID } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { MongoClient } from "mongodb";
import { MONGO_SKIPPED, mongoTestUri } from "../mongo-server.js";
import { Api, type IssueAnswer } from "./api.js";
import { CASES } from "./cases/all-cases.js";
import { fullKey } from "./cases/full-key.js";
import { randomRawKey } from "./cases/raw-key.js";
import { createAlternatingClient } from "./clients/alternating-client.js";
import type { JsonObject } from "./clients/api-client.js";
import { REVOKED, VALID } from "./known-keys.js";
import { runLatchkey } from "./latchkey-process.js";
import { type MongoService, MongoServices } from "./mongo-services.js";
import { type UnpackedRelease, unpackReleaseBefore, VERSION_BEFORE } from "./release-before.js";
import { troubleIn } from "./server.js";
import { staleForMs } from "./stale-for.js";

/** Longer than by default, so that what a busy machine adds is little of it. */
const POLL_INTERVAL_MS = 500;
const STALE_LIMIT_MS = 2 * POLL_INTERVAL_MS;
/** What is remembered is not too old for a minute: only a poll can tell a process of a change. */
const CACHED = {
  LATCHKEY_CACHE_POLL_INTERVAL: `${POLL_INTERVAL_MS}ms`,
  LATCHKEY_CACHE_MAX_STALENESS: "1m",
  LATCHKEY_CACHE_TTL: "1h",
};
const NOT_CACHED = { LATCHKEY_CACHE_TTL: "0s" };

const RACES = 10;
const KEYS = 20;
/** The largest page: no actor has more keys. */
const PAGE_KEYS = 1_000;
const START_TIMEOUT_MS = 120_000;
const TIMEOUT_MS = 120_000;

// A database for each group of tests.
const mongo = await mongoTestUri();
const migrated = await mongoTestUri();
const upgraded = await mongoTestUri();
const services = new MongoServices();
const callers: Caller[] = [];
let before: UnpackedRelease;

type Pair = readonly [old: MongoService, fresh: MongoService];

async function startBoth(uri: string, env: Readonly<Record<string, string>>): Promise<Pair> {
  const old = await services.start(uri, env, before.main);
  return [old, await services.start(uri, env)];
}

async function stopBoth(pair: Pair): Promise<void> {
  await Promise.all(pair.map(({ process }) => process.stop()));
}

/** Calls a service until it is stopped, at the latest after the test, and keeps what went wrong. */
class Caller {
  readonly wrong: string[] = [];
  count = 0;
  #isStopped = false;
  readonly #running: Promise<void>;

  constructor(call: () => Promise<void>) {
    this.#running = this.#run(call);
    callers.push(this);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #run(call: () => Promise<void>): Promise<void> {
    while (!this.#isStopped) {
      await call().catch((error: unknown) => this.wrong.push(String(error)));
      this.count += 1;
      await nextTurn();
    }
  }
}

interface Change {
  /** A credential that the change is about. */
  readonly credential: string;
  /** Makes the change. */
  readonly change: () => Promise<unknown>;
  /** Whether a verification knows of it. */
  readonly isChanged: (answer: JsonObject) => boolean;
}

/** Changes that a process has to hear of which remembers the key. */
const CHANGES: Readonly<Record<string, (api: Api, actorId: string) => Promise<Change>>> = {
  "a revoked key": async (api, actorId) => {
    const { issued_api_key: key, secret } = await api.issue({ actor_id: actorId });
    const change = () => api.revoke(key.key_id);
    return { credential: secret, change, isChanged: ({ error_code: code }) => code === REVOKED };
  },
  "a key that its holder revoked": async (api, actorId) => {
    const { secret } = await api.issue({ actor_id: actorId });
    const change = () => api.selfRevoke(secret);
    return { credential: secret, change, isChanged: ({ error_code: code }) => code === REVOKED };
  },
  "a key that was rotated at once": async (api, actorId) => {
    const { issued_api_key: key, secret } = await api.issue({ actor_id: actorId });
    const change = () => api.rotate(key.key_id);
    return { credential: secret, change, isChanged: ({ error_code: code }) => code === REVOKED };
  },
  "an updated key": async (api, actorId) => {
    const { issued_api_key: key, secret } = await api.issue({ actor_id: actorId, scopes: ["a"] });
    const change = () => api.update({ key_id: key.key_id, scopes: ["b"] }, "scopes");
    return { credential: secret, change, isChanged: ({ scopes }) => String(scopes) === "b" };
  },
  "a deleted key": async (api, actorId) => {
    const credential = randomRawKey();
    const { key_id: keyId } = await api.importKey({ raw_key: credential, actor_id: actorId });
    const change = () => api.deleteImported(keyId);
    return { credential, change, isChanged: ({ error_code: code }) => code === "VERIFICATION_ERROR_NOT_FOUND" };
  },
  "the macaroon of a revoked key": async (api, actorId) => {
    const { issued_api_key: key, secret } = await api.issue({ actor_id: actorId });
    const { token } = await api.derive(secret, { algorithm: "TOKEN_ALGORITHM_MACAROON" });
    const change = () => api.revoke(key.key_id);
    return { credential: token, change, isChanged: ({ error_code: code }) => code === REVOKED };
  },
};

const TURNS = [
  ["the release before", 0, 1],
  ["this release", 1, 0],
] as const;

const title = `${VERSION_BEFORE} and this release on one MongoDB`;

(mongo === undefined ? describe.skip : describe)(mongo === undefined ? `${title}, ${MONGO_SKIPPED}` : title, () => {
  beforeAll(() => {
    before = unpackReleaseBefore();
  });
  afterEach(async () => {
    await Promise.all(callers.splice(0).map((caller) => caller.stop()));
  });
  afterAll(async () => {
    await services.dispose();
    before.dispose();
    for (const database of [mongo, migrated, upgraded]) await database?.dispose();
  });

  describe("take turns in every case, without a cache", () => {
    let pair: Pair;
    beforeAll(async () => {
      pair = await startBoth(mongo?.uri ?? "", NOT_CACHED);
    }, START_TIMEOUT_MS);
    afterAll(() => stopBoth(pair));

    test("each says its own release", () => {
      const [old, fresh] = pair.map(({ process }) => /^Latchkey (\S+) is ready/m.exec(process.stderr)?.[1]);
      expect(old).toBe(VERSION_BEFORE);
      expect(fresh).not.toBe(VERSION_BEFORE);
    });

    describe.each(TURNS)("%s first", (_name, first, second) => {
      const api = () => {
        const client = createAlternatingClient([pair[first].client, pair[second].client]);
        return new Api(client, services.tokens, services.signingJwk());
      };
      for (const [group, cases] of Object.entries(CASES)) {
        describe(group, () => {
          for (const { name, run } of cases.filter(({ server = "plain" }) => server === "plain")) {
            test(name, () => run({ api: api(), actorId: randomUUID() }));
          }
        });
      }
    });

    test("of two that change one key at once, one does", async () => {
      const apis = pair.map(({ api }) => api);
      for (let race = 0; race < RACES; race++) {
        const { issued_api_key: key } = await pair[0].api.issue({ actor_id: randomUUID() });
        const rotations = await Promise.all(
          apis.map((api) => api.call("AdminRotateIssuedApiKey", { key_id: key.key_id })),
        );
        expect(rotations.filter(({ ok }) => ok)).toHaveLength(1);
        const importRequest = { name: "key", actor_id: randomUUID(), raw_key: randomRawKey() };
        const imports = await Promise.all(apis.map((api) => api.call("AdminImportApiKey", importRequest)));
        expect(imports.filter(({ ok }) => ok)).toHaveLength(1);
      }
    });

    test("nothing went wrong inside", () => {
      for (const { process } of pair) expect(troubleIn(process.stdout.split("\n"))).toEqual([]);
    });
  });

  describe("remember keys", () => {
    let pair: Pair;
    beforeAll(async () => {
      pair = await startBoth(mongo?.uri ?? "", CACHED);
    }, START_TIMEOUT_MS);
    afterAll(() => stopBoth(pair));

    describe.each(TURNS)("and what %s changes, the other one knows within two polls", (_name, writer, reader) => {
      test.each(Object.entries(CHANGES))("%s", async (_about, start) => {
        const { credential, change, isChanged } = await start(pair[writer].api, randomUUID());
        for (const { api } of pair) expect(await api.verify(credential)).toMatchObject({ error_code: VALID });
        await change();
        expect(isChanged(await pair[writer].api.verify(credential))).toBe(true);
        expect(await staleForMs(pair[reader].api, credential, isChanged)).toBeLessThanOrEqual(STALE_LIMIT_MS);
      });
    });
  });

  test(
    "this one migrates while the one before serves",
    async () => {
      const uri = migrated?.uri ?? "";
      const client = new MongoClient(uri);
      try {
        const old = await services.start(uri, CACHED, before.main);
        const actor = { actor_id: randomUUID() };
        const keys: IssueAnswer[] = [];
        for (let count = 0; count < KEYS; count++) keys.push(await old.api.issue(actor));
        const [revoked] = keys.splice(0, 1);
        await old.api.revoke(revoked?.issued_api_key.key_id ?? "");
        // As it was before lists by status: from here on there is something to migrate.
        await client
          .db()
          .collection("schema")
          .updateOne({}, { $set: { version: 1, compatible_version: 1 } });
        await client
          .db()
          .collection("keys")
          .updateMany({}, { $unset: { listed: true } });

        const caller = new Caller(async () => {
          for (const { secret } of keys.slice(0, KEYS / 2)) {
            expect(await old.api.verify(secret)).toMatchObject({ error_code: VALID });
          }
          if (keys.length < PAGE_KEYS) keys.push(await old.api.issue(actor));
        });
        const env = { ...services.env(uri), LATCHKEY_STORE_MONGODB_TIMEOUT: "10s" };
        expect(await runLatchkey(["migrate", "up"], env)).toEqual({
          code: 0,
          stdout: "2  applied  lists by status\n3  applied  the feed of changes\n",
          stderr: "",
        });
        const fresh = await services.start(uri, { ...CACHED, LATCHKEY_STORE_MONGODB_AUTO_MIGRATE: "false" });
        await caller.stop();
        expect(caller.wrong).toEqual([]);
        expect(caller.count).toBeGreaterThan(0);

        const listed = async ({ api }: MongoService, status: string) => {
          const filter = `actor_id="${actor.actor_id}" AND status=KEY_STATUS_${status}`;
          const { issued_api_keys: found } = await api.list({ filter, page_size: PAGE_KEYS });
          return found.map(({ key_id: id }) => id).sort();
        };
        for (const service of [old, fresh]) {
          expect(await listed(service, "ACTIVE")).toEqual(keys.map(({ issued_api_key: key }) => key.key_id).sort());
          expect(await listed(service, "REVOKED")).toEqual([revoked?.issued_api_key.key_id]);
        }
        await stopBoth([old, fresh]);
      } finally {
        await client.close();
      }
    },
    TIMEOUT_MS,
  );

  test(
    "the one before ends, and this one goes on with everything",
    async () => {
      const uri = upgraded?.uri ?? "";
      const [old, fresh] = await startBoth(uri, CACHED);
      const request = { ...fullKey(randomUUID()), request_id: randomUUID() };
      const issued = await old.api.issue(request);
      const { issued_api_key: key, secret } = issued;
      const rotateRequest = { grace_period: "1h", request_id: randomUUID() };
      const rotated = await old.api.rotate(
        (await old.api.issue(fullKey(randomUUID()))).issued_api_key.key_id,
        rotateRequest,
      );
      const rawKey = randomRawKey();
      await old.api.importKey({ raw_key: rawKey, actor_id: "a" });
      const jwt = await old.api.derive(secret, {});
      const macaroon = await old.api.derive(secret, { algorithm: "TOKEN_ALGORITHM_MACAROON" });
      const credentials = [secret, rotated.secret, rawKey, jwt.token, macaroon.token];

      const caller = new Caller(async () => {
        for (const credential of credentials) {
          expect(await fresh.api.verify(credential)).toMatchObject({ error_code: VALID });
        }
      });
      old.process.kill("SIGTERM");
      expect(await old.process.ended).toEqual({ code: 0, signal: null });
      expect(await fresh.api.issue(request)).toEqual(issued);
      expect(await fresh.api.rotate(rotated.old_issued_api_key.key_id, rotateRequest)).toEqual(rotated);
      const next = await services.start(uri, CACHED);
      await caller.stop();
      expect(caller.wrong).toEqual([]);
      expect(caller.count).toBeGreaterThan(0);

      expect(await next.api.verify(macaroon.token)).toMatchObject({ error_code: VALID });
      await fresh.api.revoke(key.key_id);
      const isRevoked = ({ error_code: code }: JsonObject) => code === REVOKED;
      expect(await staleForMs(next.api, macaroon.token, isRevoked)).toBeLessThanOrEqual(STALE_LIMIT_MS);
    },
    TIMEOUT_MS,
  );
});
