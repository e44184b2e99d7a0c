import { describe, test } from "@jest/globals";
import { openMongoStore } from "../../src/store/mongo/open-mongo-store.js";
import { MONGO_SKIPPED, mongoTestUri } from "../mongo-server.js";
import { describeKeyStore } from "./conformance.js";
import { TEST_CACHE } from "./test-cache.js";

const TIMEOUT_MS = 10_000;

const server = await mongoTestUri();
const cachedServer = server && (await mongoTestUri());
if (server === undefined || cachedServer === undefined) {
  describe.skip(`MongoDB store, ${MONGO_SKIPPED}`, () => {
    test("keeps the contract", () => {});
  });
} else {
  describeKeyStore("MongoDB store", async () => ({
    open: () => openMongoStore({ uri: server.uri, timeoutMs: TIMEOUT_MS }),
    dispose: () => server.dispose(),
  }));
  describeKeyStore("MongoDB store with a cache", async () => ({
    open: () => openMongoStore({ uri: cachedServer.uri, timeoutMs: TIMEOUT_MS, cache: TEST_CACHE }),
    dispose: () => cachedServer.dispose(),
  }));
}
