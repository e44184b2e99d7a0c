/** What the service says of the kind of deployment that it finds. The test server is made to look like the others. */

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Document } from "mongodb";
import { MONGO_SKIPPED, mongoTestUri } from "../mongo-server.js";
import { type FaultProxy, startFaultProxy } from "../store/mongo-fault-proxy.js";
import { randomToken, startTestServer } from "./server.js";

const WARN = "warn";
/** The database is used more than once, so with one pepper. */
const pepper = randomToken();
const WARNING =
  "MongoDB is a standalone server: what it acknowledged survives a crash only as far as its own journal and disk do, " +
  "and nothing takes over from it; production needs a replica set or a sharded cluster";

const mongo = await mongoTestUri();
(mongo === undefined ? describe.skip : describe)(
  mongo === undefined ? `a kind of MongoDB deployment, ${MONGO_SKIPPED}` : "a kind of MongoDB deployment",
  () => {
    let proxy: FaultProxy;

    beforeAll(async () => {
      proxy = await startFaultProxy(mongo?.uri ?? "");
    });

    afterAll(async () => {
      await proxy?.close();
      await mongo?.dispose();
    });

    test.each([
      ["a standalone is warned of, once", {}, [WARNING]],
      ["a replica set is not", { setName: "rs0", hosts: ["db:27017"], me: "db:27017" }, []],
      ["a sharded cluster is not", { msg: "isdbgrid" }, []],
    ])("%s", async (_name, looks, expected) => {
      const stop = proxy.meetAlways(({ name }) => name === "hello", {
        reply: ({ setName: _set, msg: _msg, ...hello }: Document) => ({ ...hello, ...looks }),
      });
      const service = await startTestServer({
        mongodbUri: proxy.uri,
        env: { LATCHKEY_SECRETS_PEPPER: pepper },
      });
      const lines = service.log.map((line) => JSON.parse(line) as { level: string; msg: string });
      await service.close();
      stop();
      expect(lines.filter(({ level }) => level === WARN).map(({ msg }) => msg)).toEqual(expected);
    });
  },
);
