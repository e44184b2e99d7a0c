/**
 * A database that answers nothing any more, and a service that stood still: nothing that is remembered is used past
 * `cache.max_staleness`, what cannot be read is UNAVAILABLE in time, and all goes on without a restart.
 */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { CONTROL_SKIPPED, startControlledMongo } from "../controlled-mongo.js";
import type { Api } from "./api.js";
import { eventually } from "./eventually.js";
import { REVOKED, VALID } from "./known-keys.js";
import { type MongoService, MongoServices } from "./mongo-services.js";
import { RawConnection, readHttp1Reply } from "./raw-connection.js";
import { randomToken } from "./server.js";
import { createSetActor, settleFeed } from "./settle-feed.js";

const MAX_STALENESS_MS = 3_000;
const STORE_TIMEOUT_MS = 1_000;
/** What a busy machine adds to a call. */
const SLACK_MS = 1_000;
const KEYS = 20;
const TIME_LIMIT_MS = 60_000;
const UNAVAILABLE = /^UNAVAILABLE UNAVAILABLE the key store (?:cannot be reached|did not answer in time)$/;

const ENV = {
  LATCHKEY_CACHE_MAX_STALENESS: `${MAX_STALENESS_MS}ms`,
  LATCHKEY_STORE_MONGODB_TIMEOUT: `${STORE_TIMEOUT_MS}ms`,
};

const mongo = await startControlledMongo();
const services = new MongoServices();
afterAll(async () => {
  await services.dispose();
  await mongo?.dispose();
});

(mongo === undefined ? describe.skip : describe)(
  `on MongoDB${mongo === undefined ? `, ${CONTROL_SKIPPED}` : ""}`,
  () => {
    const uri = mongo?.uri ?? "";
    let service: MongoService;
    let other: MongoService;

    beforeAll(async () => {
      [service, other] = await Promise.all([services.start(uri, ENV), services.start(uri, ENV)]);
      await settleFeed(service.api, createSetActor(uri));
    });

    test(
      "a frozen service uses nothing that it remembers from too long ago, and goes on without a restart",
      async () => {
        const keys = await Promise.all(
          Array.from({ length: KEYS }, () => service.api.issue({ actor_id: randomToken() })),
        );
        for (const { secret } of keys) expect(await lookUp(service.api, secret)).toMatchObject({ outcome: VALID });
        const { host } = new URL(service.url);
        const connections = await Promise.all(keys.map(() => RawConnection.open(host)));

        service.process.kill("SIGSTOP");
        const frozenAt = performance.now();
        for (const { issued_api_key: key } of keys) await other.api.revoke(key.key_id);
        await eventually("what is remembered to be too old", () => {
          return performance.now() - frozenAt > MAX_STALENESS_MS || undefined;
        });
        // They are in its sockets before it runs again, so that no poll comes first.
        await Promise.all(connections.map((connection, at) => connection.write(verification(keys[at]?.secret ?? ""))));
        service.process.kill("SIGCONT");
        const replies = await Promise.all(connections.map(readHttp1Reply));
        const outcomes = replies.map(({ status, body }) => [status, JSON.parse(body).error_code]);
        expect(outcomes).toEqual(keys.map(() => [200, REVOKED]));
        for (const connection of connections) connection.destroy();

        const { issued_api_key: next, secret } = await other.api.issue({ actor_id: randomToken() });
        expect(await lookUp(service.api, secret)).toMatchObject({ outcome: VALID });
        await other.api.revoke(next.key_id);
        await eventually("a refusal", async () => (await lookUp(service.api, secret)).outcome === REVOKED || undefined);
      },
      TIME_LIMIT_MS,
    );

    test(
      "a frozen database: what is remembered, then UNAVAILABLE in time, and again without a restart",
      async () => {
        const { api, url } = service;
        const { issued_api_key: key, secret } = await api.issue({ actor_id: randomToken() });
        expect(await lookUp(api, secret)).toMatchObject({ outcome: VALID });
        await mongo?.pause();
        try {
          const frozenAt = performance.now();
          const looks = [await lookUp(api, secret)];
          await eventually("refusals", async () => {
            looks.push(await lookUp(api, secret));
            return performance.now() - frozenAt > MAX_STALENESS_MS + 2 * STORE_TIMEOUT_MS || undefined;
          });
          expect(looks[0]).toMatchObject({ outcome: VALID });
          expect(looks.at(-1)?.outcome).toMatch(UNAVAILABLE);
          for (const { sentAt, ms, outcome } of looks) {
            expect(ms).toBeLessThan(STORE_TIMEOUT_MS + SLACK_MS);
            if (outcome !== VALID || sentAt - frozenAt > MAX_STALENESS_MS) expect(outcome).toMatch(UNAVAILABLE);
          }
          const { code, reason, message } = await api.refusal("AdminRevokeApiKey", { key_id: key.key_id });
          expect(`${code} ${reason} ${message}`).toMatch(UNAVAILABLE);
          expect(await readiness(url)).toBe(503);
        } finally {
          await mongo?.resume();
        }

        await eventually("readiness", async () => (await readiness(url)) === 200 || undefined);
        // The revocation had no answer, so it may have happened or not.
        expect([VALID, REVOKED]).toContain((await lookUp(api, secret)).outcome);
        await api.revoke(key.key_id);
        expect(await lookUp(api, secret)).toMatchObject({ outcome: REVOKED });
      },
      TIME_LIMIT_MS,
    );
  },
);

interface Look {
  readonly sentAt: number;
  /** How long the answer took. */
  readonly ms: number;
  /** The error code of a verification, or why there is none. */
  readonly outcome: unknown;
}

async function lookUp(api: Api, credential: string): Promise<Look> {
  const sentAt = performance.now();
  const answer = await api.call("AdminVerifyApiKey", { credential });
  const outcome = answer.ok ? answer.response.error_code : `${answer.code} ${answer.reason} ${answer.message}`;
  return { sentAt, ms: performance.now() - sentAt, outcome };
}

/** As HTTP/1.1 has it. */
function verification(credential: string): string {
  const body = JSON.stringify({ credential });
  const head = [
    "POST /v2alpha1/admin/apiKeys:verify HTTP/1.1",
    "host: latchkey",
    `authorization: Bearer ${services.tokens.admin}`,
    "content-type: application/json",
    `content-length: ${body.length}`,
  ];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}

async function readiness(url: string): Promise<number> {
  return (await fetch(`${url}/health/ready`)).status;
}
