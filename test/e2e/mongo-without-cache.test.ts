import { afterAll, describe, test } from "@jest/globals";
import { MONGO_SKIPPED, mongoTestUri } from "../mongo-server.js";
import { runCases } from "./run-cases.js";

const server = await mongoTestUri();

if (server === undefined) {
  describe.skip(`on MongoDB without the cache, ${MONGO_SKIPPED}`, () => {
    test("answers as with it", () => {});
  });
} else {
  describe("on MongoDB without the cache", () => {
    runCases({
      mongodbUri: server.uri,
      env: { LATCHKEY_CACHE_TTL: "0s" },
      clients: ["grpc-js", "REST by fetch, HTTP/1.1"],
    });
  });
  afterAll(() => server.dispose());
}
