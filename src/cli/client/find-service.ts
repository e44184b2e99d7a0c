import { connect } from "node:net";
import { join } from "node:path";
import type { Config } from "../../config/config.js";
import { readSecretFile } from "../../secrets/secret-file.js";
import type { Endpoint } from "./endpoint.js";

const CONNECT_TIMEOUT_MS = 2_000;
/** Addresses that are listened on, but not connected to. */
const CONNECTABLE: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

/** Where the service of a configuration is, whether it runs or not; `undefined` when it would choose its port itself. */
export function configuredEndpoint({ server: { host, port, tls } }: Config): Endpoint | undefined {
  if (port === 0) return undefined;
  const connectable = CONNECTABLE[host] ?? host;
  const address = `${connectable.includes(":") ? `[${connectable}]` : connectable}:${port}`;
  const isTls = tls !== undefined;
  return { protocol: "rest", isTls, address, basePath: "", text: `${isTls ? "https" : "http"}://${address}` };
}

/** Whether somebody listens at the address that the configuration names. */
export async function isListening({ server: { host, port } }: Config): Promise<boolean> {
  const socket = connect({ host: CONNECTABLE[host] ?? host, port, timeout: CONNECT_TIMEOUT_MS });
  try {
    return await new Promise((resolve) => {
      socket.once("connect", () => resolve(true));
      for (const event of ["error", "timeout"]) socket.once(event, () => resolve(false));
    });
  } finally {
    socket.destroy();
  }
}

/** The token that a service generated in the data directory. @throws DataDirectoryError when others can read it too */
export async function readGeneratedToken({ dataDir }: Config): Promise<string | undefined> {
  return (await readSecretFile(join(dataDir, "secrets", "admin-token")))?.trim();
}
