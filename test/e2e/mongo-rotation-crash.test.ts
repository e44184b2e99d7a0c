/**
 * kill -9 of a service at each step of a rotation, before the step's command reaches MongoDB or when it was carried out: the old
 * key is usable or a new one is, never none and never both, also when the command arrives after all. Who repeats the request
 * at another service gets the new key.
 */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { MONGO_SKIPPED, mongoTestUri } from "../mongo-server.js";
import { type Fate, type FaultProxy, startFaultProxy } from "../store/mongo-fault-proxy.js";
import { refused } from "./api.js";
import { eventually } from "./eventually.js";
import { REVOKED, VALID } from "./known-keys.js";
import { type MongoService, MongoServices } from "./mongo-services.js";
import { randomToken } from "./server.js";

interface Step {
  readonly name: string;
  readonly command: "insert" | "findAndModify";
  /** So many commands of that name come before it in a rotation. */
  readonly earlier: number;
  readonly isCarriedOut: boolean;
  /** What becomes of the old key. */
  readonly old: typeof VALID | typeof REVOKED;
}

const INSERT = { command: "insert", earlier: 0 } as const;
const COMMIT = { command: "findAndModify", earlier: 0 } as const;
const CLEAR = { command: "findAndModify", earlier: 1 } as const;

const STEPS: readonly Step[] = [
  { name: "before the new key is stored", ...INSERT, isCarriedOut: false, old: VALID },
  { name: "after the new key is stored", ...INSERT, isCarriedOut: true, old: VALID },
  { name: "before the commit", ...COMMIT, isCarriedOut: false, old: VALID },
  { name: "after the commit", ...COMMIT, isCarriedOut: true, old: REVOKED },
  { name: "before the mark is cleared", ...CLEAR, isCarriedOut: false, old: REVOKED },
  { name: "after the mark is cleared", ...CLEAR, isCarriedOut: true, old: REVOKED },
];

const unchanged: Fate = { reply: (reply) => reply };

const mongo = await mongoTestUri();
const services = new MongoServices();

(mongo === undefined ? describe.skip : describe)(
  `on MongoDB, kill -9 of a service in a rotation${mongo === undefined ? `, ${MONGO_SKIPPED}` : ""}`,
  () => {
    let proxy: FaultProxy;
    /** Of the service that stays. */
    let api: MongoService["api"];

    beforeAll(async () => {
      const uri = mongo?.uri ?? "";
      proxy = await startFaultProxy(uri);
      ({ api } = await services.start(uri));
    });
    afterAll(async () => {
      await services.dispose();
      await proxy?.close();
      await mongo?.dispose();
    });

    test.each(STEPS)("$name: with a request_id", async (step) => {
      const key = await issue();
      const request = { request_id: randomToken().slice(0, 32) };
      const letArrive = await killInRotation(step, key.keyId, request);
      const active = await expectOneUsable(step, key);

      const again = await api.rotate(key.keyId, request);
      const { key_id: newId } = again.issued_api_key;
      expect(again.secret_expired).toBe(false);
      if (step.old === REVOKED) expect(newId).toBe(active);
      await letArrive();
      expect(await verified(again.secret)).toBe(VALID);
      expect([await verified(key.secret), await activeKeys(key)]).toEqual([REVOKED, [newId]]);
    });

    test.each(STEPS.filter(({ old }) => old === VALID))("$name: without a request_id", async (step) => {
      const key = await issue();
      const letArrive = await killInRotation(step, key.keyId, {});
      await expectOneUsable(step, key);

      const again = await api.rotate(key.keyId);
      await letArrive();
      expect(await verified(again.secret)).toBe(VALID);
      expect([await verified(key.secret), await activeKeys(key)]).toEqual([REVOKED, [again.issued_api_key.key_id]]);
    });

    test.each(STEPS.filter(({ old }) => old === REVOKED))(
      "$name: without a request_id the new secret is lost, and the new key can be rotated",
      async (step) => {
        const key = await issue();
        const letArrive = await killInRotation(step, key.keyId, {});
        const newId = await expectOneUsable(step, key);

        expect(await api.refusal("AdminRotateIssuedApiKey", { key_id: key.keyId })).toEqual(
          refused("FAILED_PRECONDITION", "KEY_NOT_ACTIVE", "the key is revoked, and cannot be rotated"),
        );
        const next = await api.rotate(newId);
        await letArrive();
        expect(await verified(next.secret)).toBe(VALID);
        expect(await activeKeys(key)).toEqual([next.issued_api_key.key_id]);
      },
    );

    async function issue() {
      const actorId = randomToken();
      const { issued_api_key: key, secret } = await api.issue({ actor_id: actorId });
      return { actorId, keyId: key.key_id, secret };
    }
    type Key = Awaited<ReturnType<typeof issue>>;

    /** Lets a service rotate the key and die at the step. The function that is answered lets the step's command arrive at last. */
    async function killInRotation(step: Step, keyId: string, request: { request_id?: string }) {
      const service = await services.start(proxy.uri);
      let letGo = () => {};
      const release = new Promise<void>((resolve) => {
        letGo = resolve;
      });
      const earlier = Array.from({ length: step.earlier }, () => unchanged);
      const kill = () => service.process.kill("SIGKILL");
      proxy.meet(step.command, ...earlier, fateAt(step, kill, release));
      const rotation = service.api.rotate(keyId, request);
      const cut = expect(rotation).rejects.toThrow("fetch failed");
      await proxy.allMet();
      if (!step.isCarriedOut) kill();
      expect(await service.process.ended).toEqual({ code: null, signal: "SIGKILL" });
      await cut;
      return async () => {
        letGo();
        await eventually("the command that was held", () => proxy.isQuiet || undefined);
      };
    }

    /** The id of the one active key of the old key's actor. */
    async function expectOneUsable({ old }: Step, key: Key): Promise<string> {
      expect(await verified(key.secret)).toBe(old);
      const active = await activeKeys(key);
      expect(active).toEqual([old === VALID ? key.keyId : expect.not.stringMatching(key.keyId)]);
      return active[0] ?? "";
    }

    async function verified(secret: string) {
      return (await api.verify(secret)).error_code;
    }

    async function activeKeys({ actorId }: Key): Promise<string[]> {
      const filter = `actor_id="${actorId}" AND status=KEY_STATUS_ACTIVE`;
      return (await api.list({ filter })).issued_api_keys.map(({ key_id }) => key_id);
    }
  },
);

/** The service dies before it can read the reply: what kills it comes first. */
function fateAt({ isCarriedOut }: Step, kill: () => void, release: Promise<void>): Fate {
  if (!isCarriedOut) return { heldUntil: release };
  return {
    reply: (reply) => {
      kill();
      return reply;
    },
  };
}
