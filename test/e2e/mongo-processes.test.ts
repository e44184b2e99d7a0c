/**
 * Three services on one MongoDB, each in a process of its own. What one of them revokes the others refuse within two polls, also
 * when the clock of one of them is wrong.
 */
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "@jest/globals";
import { MONGO_SKIPPED, mongoTestUri } from "../mongo-server.js";
import type { Api } from "./api.js";
import { REVOKED, VALID } from "./known-keys.js";
import { type MongoService, MongoServices } from "./mongo-services.js";
import { randomToken } from "./server.js";
import { staleForMs } from "./stale-for.js";

/** Longer than by default, so that what a busy machine adds is little of it. */
const POLL_INTERVAL_MS = 500;
const LIMIT_MS = 2 * POLL_INTERVAL_MS;
const KEYS = 12;
const MINUTE_MS = 60_000;
const TIME_LIMIT_MS = 120_000;
const SHIFT_CLOCK = fileURLToPath(new URL("shift-clock.mjs", import.meta.url));

/** What is remembered is not too old for a minute: only a poll can tell a process of a revocation. */
const ENV = {
  LATCHKEY_CACHE_POLL_INTERVAL: `${POLL_INTERVAL_MS}ms`,
  LATCHKEY_CACHE_MAX_STALENESS: "1m",
  LATCHKEY_CACHE_TTL: "1h",
};

const mongo = await mongoTestUri();
const services = new MongoServices();
afterAll(async () => {
  await services.dispose();
  await mongo?.dispose();
});

(mongo === undefined ? describe.skip : describe)(
  `three services on MongoDB${mongo === undefined ? `, ${MONGO_SKIPPED}` : ""}`,
  () => {
    test.each([
      ["right", 0],
      ["a minute ahead", MINUTE_MS],
      ["a minute behind", -MINUTE_MS],
    ])(
      "refuse a key within two polls after one of them has revoked it; the third one's clock is %s",
      async (_name, offsetMs) => {
        const uri = mongo?.uri ?? "";
        const trio = await Promise.all([
          services.start(uri, ENV),
          services.start(uri, ENV),
          services.start(uri, { ...ENV, ...clockEnv(offsetMs) }),
        ]);
        const apis = trio.map(({ api }) => api);
        expect(Math.abs((await clockOffsetMs(trio[2].api)) - offsetMs)).toBeLessThan(MINUTE_MS / 4);

        for (let at = 0; at < KEYS; at++) {
          const revoker = at % apis.length;
          const delaysMs = await revokeAndWatch(apis, revoker);
          expect(delaysMs[revoker]).toBe(0);
          expect(Math.max(...delaysMs)).toBeLessThanOrEqual(LIMIT_MS);
        }
        await Promise.all(trio.map(({ process }) => process.stop()));
      },
      TIME_LIMIT_MS,
    );
  },
);

function clockEnv(offsetMs: number): Record<string, string> {
  return { NODE_OPTIONS: `--import ${SHIFT_CLOCK}`, LATCHKEY_TEST_CLOCK_OFFSET_MS: String(offsetMs) };
}

/** How far ahead a service believes to be, by the time that it gives a key. */
async function clockOffsetMs(api: MongoService["api"]): Promise<number> {
  const { issued_api_key: key } = await api.issue({ actor_id: randomToken() });
  return Date.parse(key.create_time) - Date.now();
}

/**
 * Revokes a key that every service has verified. Milliseconds from the acknowledgement until each sent its first refusal; 0: it
 * had none to send before.
 */
async function revokeAndWatch(apis: readonly Api[], revoker: number): Promise<number[]> {
  const { issued_api_key: key, secret } = await (apis[revoker] as Api).issue({ actor_id: randomToken() });
  for (const api of apis) expect(await api.verify(secret)).toMatchObject({ error_code: VALID });

  await apis[revoker]?.revoke(key.key_id);
  return Promise.all(
    apis.map((api) =>
      staleForMs(api, secret, ({ error_code: code }) => {
        expect([VALID, REVOKED]).toContain(code);
        return code === REVOKED;
      }),
    ),
  );
}
