/**
 * Servers that cannot be used, at open and later: each is a clear error in time, and is forgotten as soon as the cause is gone.
 */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { type Document, MongoClient } from "mongodb";
import { ServiceError } from "../../src/errors.js";
import type { KeyStore } from "../../src/store/key-store.js";
import { openMongoStore } from "../../src/store/mongo/open-mongo-store.js";
import { StoreUnreachableError } from "../../src/store/store-unreachable-error.js";
import { eventually } from "../e2e/eventually.js";
import { MONGO_SKIPPED, mongoTestUri } from "../mongo-server.js";
import { type Command, type Fate, type FaultProxy, refusal, startFaultProxy } from "./mongo-fault-proxy.js";
import { sampleRecord } from "./sample-record.js";

const TIMEOUT_MS = 1000;
/** What a busy test machine adds. */
const SLACK_MS = 2000;
/** Before MongoDB 4.4. */
const OLD_WIRE_VERSION = 8;

const NOT_ALLOWED = refusal(13, "Unauthorized");
const WRONG_PASSWORD = refusal(18, "AuthenticationFailed");
const FULL = refusal(14031, "OutOfDiskSpace");
const FULL_FOR_ONE = { refusal: { ok: 1, n: 0, writeErrors: [{ index: 0, ...FULL.refusal }] } };
const TOO_OLD = { reply: (hello: Document) => ({ ...hello, maxWireVersion: OLD_WIRE_VERSION }) };

const everything = () => true;
const named =
  (...names: string[]) =>
  ({ name }: Command) =>
    names.includes(name);

const mongo = await mongoTestUri();
(mongo === undefined ? describe.skip : describe)(
  `a MongoDB that cannot be used${mongo === undefined ? `, ${MONGO_SKIPPED}` : ""}`,
  () => {
    let proxy: FaultProxy;
    let stopFault = () => {};

    beforeAll(async () => {
      proxy = await startFaultProxy(mongo?.uri ?? "");
    });

    afterEach(() => stopFault());

    afterAll(async () => {
      await proxy?.close();
      await mongo?.dispose();
    });

    function fail(applies: (command: Command) => boolean, fate: Fate): void {
      stopFault = proxy.meetAlways(applies, fate);
    }

    describe("at open", () => {
      /** As before the first open, so that there is something to be done. */
      beforeEach(async () => {
        const client = new MongoClient(mongo?.uri ?? "");
        await client.db().collection("schema").deleteMany({});
        await client.close();
      });

      const open = (options = "") => openMongoStore({ uri: proxy.uri + options, timeoutMs: TIMEOUT_MS });

      test.each([
        ["a server that is too old", named("hello"), TOO_OLD, "is too old: MongoDB 4.4 or newer is needed"],
        ["a wrong password", named("hello"), WRONG_PASSWORD, "refused the user name or password"],
        [
          "a user who may only read",
          named("createIndexes"),
          NOT_ALLOWED,
          "does not let this user create the indexes that it needs",
        ],
        ["a full disk", named("createIndexes"), FULL, "has no space left"],
        ["another refusal", named("createIndexes"), refusal(2, "BadValue"), "refused to open the store (code 2)"],
        [
          "a primary that steps down",
          named("createIndexes"),
          refusal(189, "PrimarySteppedDown"),
          "refused to open the store (code 189)",
        ],
        ["silence", everything, "swallowed", /did not answer within 1000 ms$|cannot be reached \(.*1000 ms\)$/],
        [
          "silence when it is asked for the schema",
          named("find"),
          "swallowed",
          "cannot be reached (no usable answer within 1000 ms)",
        ],
      ] as const)("%s", async (name, applies, fate, expected) => {
        fail(applies, fate);
        const start = performance.now();
        const error = await open().catch((reason: unknown) => reason);
        expect(performance.now() - start).toBeLessThan(TIMEOUT_MS + SLACK_MS);
        const message = typeof expected === "string" ? `MongoDB at ${proxy.address} ${expected}` : expected;
        expect(error).toMatchObject({ reason: "UNAVAILABLE", message: expect.stringMatching(exactly(message)) });
        // What another try may find otherwise, and nothing else.
        expect(error instanceof StoreUnreachableError).toBe(/^silence|steps down$/.test(name));

        stopFault();
        await (await open()).close();
      });

      test("a package for the URI's compression that is not there", async () => {
        fail(named("hello"), { reply: (hello) => ({ ...hello, compression: ["zstd"] }) });
        await expect(open("&compressors=zstd")).rejects.toMatchObject({
          reason: "UNAVAILABLE",
          message: `MongoDB at ${proxy.address} cannot be used: a package that the URI asks for is missing`,
        });
      });

      test("a file for TLS that is not there", async () => {
        await expect(open("&tls=true&tlsCAFile=no-such-file.pem")).rejects.toMatchObject({
          reason: "UNAVAILABLE",
          message: "the file no-such-file.pem, which the MongoDB URI names, cannot be read (ENOENT)",
        });
      });
    });

    describe("later", () => {
      let store: KeyStore;
      const record = sampleRecord({ version: 1 });

      beforeAll(async () => {
        store = await openMongoStore({ uri: proxy.uri, timeoutMs: TIMEOUT_MS });
        await store.insert(record);
      });

      afterAll(() => store?.close());

      const read = () => store.read(record);
      const insert = () => store.insert(sampleRecord());
      const insertMany = () => store.insertMany([sampleRecord(), sampleRecord()]);
      const change = () => store.compareAndSet(record, 1, { name: "changed" });
      const remove = () => store.delete(record, 1);
      const lease = () => store.acquireLease("lease", "mine", TIMEOUT_MS);

      const writes = named("insert", "update", "findAndModify");
      const noWrites = "the key store does not let the service's user do this";
      const isFull = "the key store is full";
      const noPassword = "the key store refuses the service's user name or password";
      const silence = /^the key store (cannot be reached|did not answer in time)$/;

      test.each([
        ["a user who may only read", insert, writes, NOT_ALLOWED, noWrites],
        ["a user who may only read", insertMany, writes, NOT_ALLOWED, noWrites],
        ["a user who may only read", change, writes, NOT_ALLOWED, noWrites],
        ["a user who may only read", remove, writes, NOT_ALLOWED, noWrites],
        ["a user who may only read", lease, writes, NOT_ALLOWED, noWrites],
        ["a full disk", insert, writes, FULL, isFull],
        ["a full disk", insert, writes, FULL_FOR_ONE, isFull],
        ["a full disk", insertMany, writes, FULL_FOR_ONE, isFull],
        ["a full disk", change, writes, FULL, isFull],
        ["a full disk", remove, writes, FULL, isFull],
        ["a password that was changed", read, named("find"), WRONG_PASSWORD, noPassword],
        ["a password that was changed", insert, named("insert"), WRONG_PASSWORD, noPassword],
        ["an operation that takes too long", change, writes, refusal(50, "MaxTimeMSExpired"), silence],
        ["another refusal", read, named("find"), refusal(2, "BadValue"), "the key store cannot be reached"],
        ["silence", read, everything, "swallowed", silence],
        ["silence", insert, everything, "swallowed", silence],
        ["silence", change, everything, "swallowed", silence],
        ["silence", remove, everything, "swallowed", silence],
        ["silence", lease, everything, "swallowed", silence],
      ] as const)("%s: %p", async (_name, call, applies, fate, message) => {
        fail(applies, fate);
        const start = performance.now();
        await expect(call()).rejects.toMatchObject({
          reason: "UNAVAILABLE",
          message: expect.stringMatching(exactly(message)),
        });
        expect(performance.now() - start).toBeLessThan(TIMEOUT_MS + SLACK_MS);

        stopFault();
        expect(await store.insert(sampleRecord())).toMatchObject({ outcome: "inserted" });
        expect(await store.read(record)).toEqual(record);
      });

      test("a server that takes over and is too old", async () => {
        fail(named("hello"), TOO_OLD);
        proxy.meet("find", "lost on the way");
        // The read that meets it may be out of time before it knows.
        const error = await eventually("the reason", async () => {
          const failure = await store.read(record).catch((reason: ServiceError) => reason);
          return failure instanceof ServiceError && /too old/.test(failure.message) ? failure : undefined;
        });
        expect(error).toMatchObject({
          reason: "UNAVAILABLE",
          message: "the key store is on a server that is too old",
        });
        stopFault();
        // The driver notices when it next looks at the server.
        expect(await eventually("a read", () => store.read(record).catch(() => undefined))).toEqual(record);
      });
    });
  },
);

function exactly(message: string | RegExp): RegExp {
  if (typeof message !== "string") return message;
  return new RegExp(`^${message.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`);
}
