import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, test } from "@jest/globals";
import { findPort } from "../../src/cli/find-port.js";

const host = "127.0.0.1";

test("finds a free port, and leaves it free", async () => {
  const port = await findPort({ host, port: 0 });
  expect(port).toBeGreaterThan(0);
  expect(await findPort({ host, port })).toBe(port);
});

test("rejects for a port in use as the listener does", async () => {
  const server = createServer().listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await expect(findPort({ host, port })).rejects.toThrow(`listen EADDRINUSE: address already in use ${host}:${port}`);
  server.close();
});
