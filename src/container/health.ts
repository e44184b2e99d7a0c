/**
 * The image's HEALTHCHECK: whether the service of this container is ready. Exit code 0 when it is; else 1, and why on stderr.
 *
 * Reads the variables that the service reads, so it asks the port that is listened on, with TLS where that is on. A YAML file
 * (`serve --config`) is not looked at. Where clients must show a certificate there is none to show here: to be asked for it is all
 * that can be seen then, and enough.
 */
import { once } from "node:events";
import { get as getHttp, type IncomingMessage } from "node:http";
import { get as getHttps } from "node:https";
import type { Config } from "../config/config.js";
import { loadConfig } from "../config/load-config.js";

const READY_PATH = "/health/ready";
const OK = 200;
/** Less than the Dockerfile gives the whole check. */
const TIMEOUT_MS = 4_000;
/** Addresses that are listened on, but not connected to. */
const CONNECTABLE: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };
const CERTIFICATE_REQUIRED = "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED";

const { config } = loadConfig({ env: process.env });
const problem = config === undefined ? "the configuration is wrong" : await findProblem(config.server);
if (problem !== undefined) {
  process.stderr.write(`not ready: ${problem}\n`);
  process.exitCode = 1;
}

/** Why the service is not ready; `undefined` when it is. */
async function findProblem({ host, port, tls }: Config["server"]): Promise<string | undefined> {
  if (port === 0) return "server.port is 0, so nobody knows the port";
  const options = { host: CONNECTABLE[host] ?? host, port, path: READY_PATH, signal: AbortSignal.timeout(TIMEOUT_MS) };
  // Whose certificate it is does not matter: nothing is told, and nobody else listens on this container's port.
  const request = tls === undefined ? getHttp(options) : getHttps({ ...options, rejectUnauthorized: false });
  try {
    const [response] = (await once(request, "response")) as [IncomingMessage];
    response.resume();
    return response.statusCode === OK ? undefined : `HTTP status ${response.statusCode}`;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === CERTIFICATE_REQUIRED && tls?.clientCaFile !== undefined) return undefined;
    return code === "ABORT_ERR" ? `no answer within ${TIMEOUT_MS} ms` : String(code);
  }
}
