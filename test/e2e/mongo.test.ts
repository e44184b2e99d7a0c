import { afterAll, describe, test } from "@jest/globals";
import { MONGO_SKIPPED, mongoTestUri } from "../mongo-server.js";
import { runCases } from "./run-cases.js";

const server = await mongoTestUri();

if (server === undefined) {
  describe.skip(`on MongoDB, ${MONGO_SKIPPED}`, () => {
    test("answers as on the embedded store", () => {});
  });
} else {
  describe("on MongoDB", () => runCases({ mongodbUri: server.uri }));
  afterAll(() => server.dispose());
}
