import { expect, test } from "@jest/globals";
import { ObjectId } from "mongodb";
import { serverState } from "../../src/store/mongo/polled-keys.js";

const localTime = new Date("2026-01-02T03:04:05.678Z");
const processId = new ObjectId("65a000000000000000000001");
const electionId = new ObjectId("7fffffff0000000000000007");
const topologyVersion = { processId, counter: 6n };

test.each([
  [
    "a member of a replica set",
    { me: "db1:27017", electionId, topologyVersion },
    `db1:27017 ${electionId} ${processId}`,
  ],
  ["a lone server", { topologyVersion }, `  ${processId}`],
  ["FerretDB", { connectionId: 42 }, "  "],
  ["a mongos, one of several", { msg: "isdbgrid", topologyVersion }, ""],
])("%s", (_who, hello, identity) => {
  expect(serverState({ ...hello, localTime })).toEqual({ timeMs: localTime.getTime(), identity });
});

test("one that does not tell its time is none", () => {
  expect(() => serverState({ topologyVersion })).toThrow("the server does not tell its time");
});
