import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { startTestServer, type TestServer } from "../e2e/server.js";
import { MONGO_SKIPPED, mongoTestUri } from "../mongo-server.js";
import { testCommands, testSomeCommands } from "./command-cases.js";
import { runLatchkey } from "./run-latchkey.js";

const mongo = await mongoTestUri();
const ownMongo = await mongoTestUri();

if (mongo === undefined || ownMongo === undefined) {
  describe.skip(`commands on MongoDB, ${MONGO_SKIPPED}`, () => {
    test("answer as on the embedded store", () => {});
  });
} else {
  afterAll(async () => {
    await mongo.dispose();
    await ownMongo.dispose();
  });

  describe("to a service on MongoDB", () => {
    let server: TestServer;
    beforeAll(async () => {
      server = await startTestServer({ mongodbUri: mongo.uri });
    });
    afterAll(() => server.close());

    describe.each(["http", "grpc"])("%s", (protocol) => {
      const env = () => ({
        LATCHKEY_ENDPOINT: `${protocol}://${server.address}`,
        LATCHKEY_TOKEN: server.tokens.admin,
      });
      const testThem = protocol === "http" ? testCommands : testSomeCommands;
      testThem({ env, tag: protocol });
    });
  });

  describe("without a service, on MongoDB itself", () => {
    const directory = mkdtempSync(join(tmpdir(), "latchkey-cli-"));
    afterAll(() => rmSync(directory, { recursive: true, force: true }));
    const env = () => ({
      LATCHKEY_SERVER_PORT: "1",
      LATCHKEY_STORE_MONGODB_URI: ownMongo.uri,
      LATCHKEY_STORE_MONGODB_TIMEOUT: "10s",
    });
    testSomeCommands({ env, cwd: () => directory, tag: "store" });

    test("a wrong password is refused, exit code 1", async () => {
      const uri = new URL(ownMongo.uri);
      uri.username = "nobody";
      uri.password = "hunter2";
      const run = await runLatchkey(["keys", "list"], {
        env: { ...env(), LATCHKEY_STORE_MONGODB_URI: uri.href },
        cwd: directory,
      });
      const err = `latchkey: MongoDB at ${uri.host} refused the user name or password\n`;
      expect(run).toEqual({ code: 1, out: "", err });
    });
  });
}
