/**
 * kill -9 of the database, again and again, under a load of writes and verifications: nothing that was acknowledged is lost,
 * what is not answered is UNAVAILABLE, and the service goes on by itself.
 */
import { afterAll, describe, expect, test } from "@jest/globals";
import { CONTROL_SKIPPED, startControlledMongo } from "../controlled-mongo.js";
import { Api } from "./api.js";
import { createRandom } from "./create-random.js";
import { eventually } from "./eventually.js";
import { changeKeys, expectKept, expectVerified, type KnownKey } from "./known-keys.js";
import { type MongoService, MongoServices } from "./mongo-services.js";

const ROUNDS = 4;
const CALLERS = 8;
/** The database is killed after so many acknowledged calls of a round, with all callers in the middle of the next one. */
const MOST_CALLS = 300;
const TIME_LIMIT_MS = 120_000;
/** Of a call that finds nobody, and of one that found somebody who never answered. */
const UNAVAILABLE = /^\w+: UNAVAILABLE UNAVAILABLE the key store (?:cannot be reached|did not answer in time)$/;

const mongo = await startControlledMongo();
const services = new MongoServices();
afterAll(async () => {
  await services.dispose();
  await mongo?.dispose();
});

(mongo === undefined ? describe.skip : describe)(
  `on MongoDB${mongo === undefined ? `, ${CONTROL_SKIPPED}` : ""}`,
  () => {
    test(
      "what was acknowledged before a kill -9 of the database is there after it, without a restart of the service",
      async () => {
        const service = await services.start(mongo?.uri ?? "");
        const load = startLoad(service);
        const random = createRandom(13);
        try {
          for (let round = 0; round < ROUNDS; round++) {
            // The first of them tells that the service goes on.
            await load.acknowledged(1 + (random() % MOST_CALLS));
            await mongo?.crash();
            await load.refused();
            await mongo?.start();
          }
          await load.acknowledged(MOST_CALLS);
        } finally {
          await load.stop();
        }

        const { keys } = load;
        await eachOf(keys, (key) => expectKept(service.api, key));
        for (const state of ["issued", "revoked", "rotated"] as const) {
          expect(keys.filter((key) => key.state === state).length).toBeGreaterThan(ROUNDS);
        }
      },
      TIME_LIMIT_MS,
    );
  },
);

interface Load {
  readonly keys: readonly KnownKey[];
  /** Resolves after so many more acknowledged calls; rejects when a caller got an answer that is not allowed. */
  acknowledged(calls: number): Promise<void>;
  /** Resolves when every caller has been told that the store is unavailable. */
  refused(): Promise<void>;
  stop(): Promise<void>;
}

/** Callers that change keys and look at them, whatever becomes of the store. */
function startLoad({ client }: MongoService): Load {
  const keys: KnownKey[] = [];
  const random = createRandom(17);
  const refusals = new Array<number>(CALLERS).fill(0);
  let acknowledged = 0;
  let isStopping = false;
  let failure: unknown;

  const api = new Api(
    {
      ...client,
      call: async (...call) => {
        const outcome = await client.call(...call);
        if (outcome.ok) acknowledged += 1;
        return outcome;
      },
    },
    services.tokens,
  );
  const work = async (caller: number) => {
    while (!isStopping && failure === undefined) {
      try {
        await changeKeys(api, keys);
        for (let count = 0; count < 3; count++) {
          const key = keys[random() % keys.length];
          if (key !== undefined) await expectVerified(api, key);
        }
      } catch (error) {
        if (UNAVAILABLE.test((error as Error).message)) refusals[caller] = (refusals[caller] ?? 0) + 1;
        else failure = error;
      }
    }
  };
  const callers = Promise.all(refusals.map((_none, caller) => work(caller)));

  const until = (what: string, isReached: () => boolean) =>
    eventually(what, () => {
      if (failure !== undefined) throw failure;
      return isReached() || undefined;
    });
  return {
    keys,
    acknowledged: async (calls) => {
      const wanted = acknowledged + calls;
      await until(`${calls} acknowledged calls`, () => acknowledged >= wanted);
    },
    refused: async () => {
      const before = [...refusals];
      await until("a refusal for each caller", () => refusals.every((count, caller) => count > (before[caller] ?? 0)));
    },
    stop: async () => {
      isStopping = true;
      await callers;
      if (failure !== undefined) throw failure;
    },
  };
}

/** As many at a time as there were callers. */
async function eachOf<T>(values: readonly T[], check: (value: T) => Promise<void>): Promise<void> {
  const left = [...values];
  await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      for (let value = left.pop(); value !== undefined; value = left.pop()) await check(value);
    }),
  );
}
