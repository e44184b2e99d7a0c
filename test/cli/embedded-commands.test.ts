import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { findPort } from "../../src/cli/find-port.js";
import { ChildService } from "../e2e/child-service.js";
import { startTestServer, type TestServer } from "../e2e/server.js";
import { testCommands, testSomeCommands } from "./command-cases.js";
import { runLatchkey } from "./run-latchkey.js";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

describe.each(["http", "grpc"])("%s, to a service on the embedded store", (protocol) => {
  const env = () => ({
    LATCHKEY_ENDPOINT: `${protocol}://${server.address}`,
    LATCHKEY_TOKEN: server.tokens.admin,
  });
  const testThem = protocol === "http" ? testCommands : testSomeCommands;
  testThem({ env, tag: protocol });

  test("health", async () => {
    expect(await runLatchkey(["health"], { env: env() })).toEqual({ code: 0, out: "SERVING\n", err: "" });
  });
});

describe("without a service, on the embedded store itself", () => {
  const directory = mkdtempSync(join(tmpdir(), "latchkey-cli-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  // Port 1 is nobody's.
  const env = () => ({ LATCHKEY_SERVER_PORT: "1" });
  testSomeCommands({ env, cwd: () => directory, tag: "store" });

  test("health says that there is none", async () => {
    const port = await findPort({ host: "127.0.0.1", port: 0 });
    const run = await runLatchkey(["health"], { env: { LATCHKEY_SERVER_PORT: String(port) }, cwd: directory });
    const err = `latchkey: http://127.0.0.1:${port} cannot be reached (ECONNREFUSED): is the service running there?\n`;
    expect(run).toEqual({ code: 3, out: "", err });
  });
});

test("a service that runs is used, with the token of its data directory", async () => {
  const directory = mkdtempSync(join(tmpdir(), "latchkey-cli-"));
  const service = new ChildService({ cwd: directory });
  try {
    const { port } = new URL(await service.ready());
    const env = { LATCHKEY_SERVER_PORT: port };
    const issued = await runLatchkey(["keys", "issue", "demo", "--actor", "me"], { env, cwd: directory });
    expect(issued).toMatchObject({ code: 0, err: "" });
    // The call is in the log of the service.
    await service.logged("call");
  } finally {
    await service.stop();
    rmSync(directory, { recursive: true, force: true });
  }
});
