import { stat } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import type { Config } from "../../config/config.js";
import { readSecretFile } from "../../secrets/secret-file.js";
import { CommandFailure } from "../command-failure.js";
import type { Endpoint } from "./endpoint.js";
import { readListenerUids } from "./listening-sockets.js";

const CONNECT_TIMEOUT_MS = 2_000;
const ROOT_UID = 0;
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

/**
 * Who listens at the address that the configuration names: the service, as it belongs to this user, to root or to the owner of
 * the data directory; nobody; or somebody of whom the system does not tell.
 * @throws CommandFailure when it is another user, who could bind the port while the service is down and would be sent its token
 */
export async function findListener({ server, dataDir }: Config): Promise<"trusted" | "unknown" | "none"> {
  const address = await connectedAddress(server);
  if (address === undefined) return "none";
  const uids = await readListenerUids(address, server.port);
  if (uids.length === 0) return "unknown";
  const trusted = [process.getuid?.(), ROOT_UID, await ownerOf(dataDir)];
  const stranger = uids.find((uid) => !trusted.includes(uid));
  if (stranger === undefined) return "trusted";
  throw new CommandFailure(
    `port ${server.port} is not used: the user with uid ${stranger} listens there, ` +
      `who is neither you nor root nor the owner of ${dataDir}\n  if that is your service, name it with --endpoint`,
  );
}

/** The IP address that connections to this one reach; `undefined` when nobody listens. */
async function connectedAddress({ host, port }: Config["server"]): Promise<string | undefined> {
  const socket = connect({ host: CONNECTABLE[host] ?? host, port, timeout: CONNECT_TIMEOUT_MS });
  try {
    return await new Promise((resolve) => {
      socket.once("connect", () => resolve(socket.remoteAddress));
      for (const event of ["error", "timeout"]) socket.once(event, () => resolve(undefined));
    });
  } finally {
    socket.destroy();
  }
}

async function ownerOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).uid;
  } catch {
    return undefined; // it is not there yet, or not for this user
  }
}

/** The token that a service generated in the data directory. @throws DataDirectoryError when others can read it too */
export async function readGeneratedToken({ dataDir }: Config): Promise<string | undefined> {
  return (await readSecretFile(join(dataDir, "secrets", "admin-token")))?.trim();
}
