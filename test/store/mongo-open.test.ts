/** What a MongoDB store says at open when it cannot be used. These need no server, but for the last ones. */

import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { inspect } from "node:util";
import { afterAll, describe, expect, test } from "@jest/globals";
import { ServiceError } from "../../src/errors.js";
import { databaseName } from "../../src/store/mongo/client-options.js";
import { openMongoStore } from "../../src/store/mongo/open-mongo-store.js";
import { MONGO_SKIPPED, mongoTestUri } from "../mongo-server.js";
import { sampleRecord } from "./sample-record.js";

const TIMEOUT_MS = 500;
/** What a busy test machine adds. */
const SLACK_MS = 2000;
const PASSWORD = "s3cr3t-passw0rd";

async function failureOf(uri: string, timeoutMs = TIMEOUT_MS): Promise<ServiceError> {
  const start = performance.now();
  const error = await openMongoStore({ uri, timeoutMs }).catch((reason: unknown) => reason);
  expect(performance.now() - start).toBeLessThan(timeoutMs + SLACK_MS);
  if (!(error instanceof ServiceError)) throw new Error("no ServiceError", { cause: error });
  expect(error.reason).toBe("UNAVAILABLE");
  // The log prints errors with their causes.
  expect(inspect(error, { depth: 20 })).not.toContain(PASSWORD);
  return error;
}

describe("opening a MongoDB store", () => {
  test.each([
    ["no scheme", `user:${PASSWORD}@127.0.0.1`],
    ["another scheme", `postgres://user:${PASSWORD}@127.0.0.1/db`],
    ["a bad escape", `mongodb://user:${PASSWORD}%@127.0.0.1/db`],
    ["a bad escape in the database name", `mongodb://user:${PASSWORD}@127.0.0.1/%E0%A4%A`],
    ["an unknown option", `mongodb://user:${PASSWORD}@127.0.0.1/?noSuchOption=1`],
    ["an unescaped password", `mongodb://user:${PASSWORD}/@127.0.0.1:port/db`],
  ])("with a URI that cannot be read: %s", async (_name, uri) => {
    const error = await failureOf(uri);
    expect(error.message).toBe(
      "the MongoDB URI cannot be read: see https://www.mongodb.com/docs/manual/reference/connection-string/",
    );
  });

  test("where nothing listens names the server and the limit", async () => {
    const server = createServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    const error = await failureOf(`mongodb://user:${PASSWORD}@127.0.0.1:${port}/db`);
    expect(error.message).toBe(
      `MongoDB at 127.0.0.1:${port} cannot be reached (ECONNREFUSED, no usable answer within ${TIMEOUT_MS} ms)`,
    );
  });

  test("where connections are accepted and never answered ends in time", async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => sockets.push(socket));
    const port = await listen(server);
    const error = await failureOf(`mongodb://user:${PASSWORD}@127.0.0.1:${port}/db`);
    expect(error.message).toMatch(`MongoDB at 127.0.0.1:${port} `);
    expect(error.message).toMatch(` within ${TIMEOUT_MS} ms`);
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  test.each([
    ["mongodb://localhost", "latchkey"],
    ["mongodb://localhost/", "latchkey"],
    ["mongodb://localhost/?appName=x/y", "latchkey"],
    ["mongodb://localhost?appName=x/y", "latchkey"],
    ["mongodb://u:p@a:1,b:2/keys?replicaSet=r", "keys"],
    ["mongodb+srv://example.com/my%20keys", "my keys"],
  ])("takes the database from the URI: %s", (uri, expected) => {
    expect(databaseName(uri)).toBe(expected);
  });
});

const mongo = await mongoTestUri();
(mongo === undefined ? describe.skip : describe)(
  `opening a MongoDB store on a server${mongo === undefined ? `, ${MONGO_SKIPPED}` : ""}`,
  () => {
    const uri = mongo?.uri ?? "";

    afterAll(async () => {
      await mongo?.dispose();
    });

    test("several processes may start at once on a new database", async () => {
      const opened = await Promise.all(Array.from({ length: 8 }, () => openMongoStore({ uri, timeoutMs: 10_000 })));
      const record = sampleRecord();
      await opened[0]?.insert(record);
      for (const store of opened) expect(await store.read(record)).toEqual(record);
      for (const store of opened) await store.close();
    });

    test("with a wrong password is refused, and does not say the password", async () => {
      const withPassword = uri.replace(/^mongodb:\/\/([^/]*@)?/, `mongodb://nobody:${PASSWORD}@`);
      const error = await failureOf(withPassword, 5000);
      expect(error.message).toMatch(/^MongoDB at \S+ refused the user name or password$/);
    });
  },
);

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}
