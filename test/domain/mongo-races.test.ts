/** Two admins at the same version of a key in MongoDB: one wins, and the other is told so, whichever replies are lost. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { revokeKey } from "../../src/domain/revoke-key.js";
import { updateKey } from "../../src/domain/update-key.js";
import type { KeyRecord, KeyStore } from "../../src/store/key-store.js";
import { openMongoStore } from "../../src/store/mongo/open-mongo-store.js";
import { MONGO_SKIPPED, mongoTestUri } from "../mongo-server.js";
import { type FaultProxy, startFaultProxy } from "../store/mongo-fault-proxy.js";
import { createFixture, type Fixture, importRaw, issue, rotate, verdict } from "./fixture.js";

const TIMEOUT_MS = 10_000;

const REPLIES = [
  ["both replies arrive", false],
  ["both replies are lost", true],
] as const;

const mongo = await mongoTestUri();
(mongo === undefined ? describe.skip : describe)(
  `two admins at once, on MongoDB${mongo === undefined ? `, ${MONGO_SKIPPED}` : ""}`,
  () => {
    let fixture: Fixture;
    let domain: Fixture;
    let store: KeyStore;
    let proxy: FaultProxy;

    beforeAll(async () => {
      proxy = await startFaultProxy(mongo?.uri ?? "");
      store = await openMongoStore({ uri: proxy.uri, timeoutMs: TIMEOUT_MS });
      fixture = await createFixture();
      domain = { ...fixture, store };
    });

    afterEach(() => expect(proxy.left).toBe(0));

    afterAll(async () => {
      await fixture?.dispose();
      await store?.close();
      await proxy?.close();
      await mongo?.dispose();
    });

    /** Both have read the key when the first of them writes. */
    async function race<T>(isReplyLost: boolean, calls: readonly (() => Promise<T>)[]) {
      let release = () => {};
      const heldUntil = new Promise<void>((resolve) => {
        release = resolve;
      });
      for (const _call of calls) proxy.meet("findAndModify", { heldUntil, isReplyLost });
      const running = Promise.allSettled(calls.map((call) => call()));
      await proxy.allMet();
      release();
      const results = await running;
      const won = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
      const lost = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
      return { won, lost };
    }

    test.each(REPLIES)("an update wins over an update: %s", async (_name, isReplyLost) => {
      const { record } = await issue(domain);
      const update = (name: string) => () =>
        updateKey(domain, { ...record, attributes: { name }, path: "" }) as Promise<KeyRecord>;
      const { won, lost } = await race(isReplyLost, [update("one"), update("other")]);
      expect(lost).toEqual([expect.objectContaining({ reason: "CONCURRENT_CHANGE" })]);
      expect(won).toEqual([await store.read(record)]);
      expect(won[0]?.version).toBe(record.version + 1);
    });

    test.each(REPLIES)("a rotation wins over a rotation: %s", async (_name, isReplyLost) => {
      const { record, secret } = await issue(domain);
      const rotation = () => rotate(domain, { ...record, overrides: {}, gracePeriodMs: 0 });
      const { won, lost } = await race(isReplyLost, [rotation, rotation]);
      expect(lost).toEqual([expect.objectContaining({ reason: "KEY_NOT_ACTIVE" })]);
      expect(won).toHaveLength(1);
      expect((await store.read(record))?.successor).toBe(won[0]?.record.keyId);
      expect(await verdict(domain, won[0]?.secret ?? "")).toBe("active");
      expect(await verdict(domain, secret)).toBe("revoked");
    });

    test.each(REPLIES)("a revocation holds, and an update does or says that it lost: %s", async (name, isReplyLost) => {
      const record = await importRaw(domain, { rawKey: `raw ${name}` });
      const revoke = () => revokeKey(domain, { ...record, reason: "unspecified", description: "" });
      const update = async () => void (await updateKey(domain, { ...record, attributes: { name: "new" }, path: "" }));
      const { lost } = await race(isReplyLost, [update, revoke]);
      const actual = await store.read(record);
      expect(actual?.revocation).toEqual({ reason: "unspecified" });
      const isUpdated = actual?.name === "new";
      // A revocation on top of the update may cover the traces by which it would know that it happened.
      const told = isUpdated ? [[], ...(isReplyLost ? [["UNAVAILABLE"]] : [])] : [["CONCURRENT_CHANGE"]];
      expect(told).toContainEqual(lost.map(({ reason }) => reason));
      expect(actual?.version).toBe(record.version + (isUpdated ? 2 : 1));
    });
  },
);
