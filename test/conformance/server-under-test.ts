/**
 * The server that the suite starts, once for each of its configurations: this project's lanes and pipeline, with the suite's
 * service. Arguments: the file with the suite's descriptors, and `on` or `off` for the grpc-unary lane. Reads a
 * ServerCompatRequest from stdin, answers with a ServerCompatResponse on stdout, each behind four bytes of length, and
 * serves until SIGTERM. Nothing else may go to stdout.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { loadConfig } from "../../src/config/load-config.js";
import { createOpenAuthenticator } from "../../src/server/authenticate.js";

import { createClientAddressReader } from "../../src/server/client-address.js";
import { startServer } from "../../src/server/server.js";
import { createLogger } from "../../src/telemetry/logger.js";
import { createConformanceService } from "./conformance-service.js";
import type { ServerCompatRequest } from "./messages.js";
import { PipelineWithoutDetails } from "./pipeline-without-details.js";
import { readSchema } from "./schema.js";

const LENGTH_BYTES = 4;
const HOST = "127.0.0.1";
const NIL_UUID = "00000000-0000-0000-0000-000000000000";

const [, , descriptorFile = "", grpcUnaryLane = ""] = process.argv;
const schema = readSchema(descriptorFile);
const request = fromBinary(schema.message("ServerCompatRequest"), await readFromStdin()) as ServerCompatRequest;

const { config, mistakes } = loadConfig({
  file: undefined,
  env: { LATCHKEY_SERVER_PORT: "0", LATCHKEY_SERVER_GRPC_UNARY_LANE: String(grpcUnaryLane === "on") },
});
if (config === undefined) throw new Error(mistakes.map(({ message }) => message).join("\n"));

const directory = mkdtempSync(join(tmpdir(), "latchkey-conformance-tls-"));
const logger = createLogger({ level: "error", destination: process.stderr });
const server = await startServer({
  ...config.server,
  host: HOST,
  tls: request.useTls ? tlsFiles(request) : undefined,
  services: [createConformanceService(schema, request.messageReceiveLimit)],
  registry: schema.registry,
  pipeline: new PipelineWithoutDetails({
    authenticate: createOpenAuthenticator(),
    tenantId: NIL_UUID,
    requestTimeoutMs: config.server.requestTimeoutMs,
    readClientAddress: createClientAddressReader(config.clientIp),
    logger,
    logAccess: () => undefined,
  }),
  checkReady: () => Promise.resolve(),
});
rmSync(directory, { recursive: true });

process.once("SIGTERM", () => process.exit());
const responseDesc = schema.message("ServerCompatResponse");
const response = toBinary(
  responseDesc,
  create(responseDesc, {
    host: HOST,
    port: Number(new URL(server.url).port),
    ...(request.useTls && { pemCert: request.serverCreds?.cert }),
  }),
);
const length = Buffer.alloc(LENGTH_BYTES);
length.writeUInt32BE(response.length);
process.stdout.write(Buffer.concat([length, response]));

async function readFromStdin(): Promise<Uint8Array> {
  let read = Buffer.alloc(0);
  for await (const chunk of process.stdin) {
    read = Buffer.concat([read, chunk]);
    if (read.length < LENGTH_BYTES) continue;
    const end = LENGTH_BYTES + read.readUInt32BE();
    if (read.length >= end) return read.subarray(LENGTH_BYTES, end);
  }
  throw new Error("stdin ended before the request did");
}

function tlsFiles({ serverCreds, clientTlsCert }: ServerCompatRequest) {
  const file = (name: string, pem: Uint8Array | undefined) => {
    const path = join(directory, name);
    writeFileSync(path, pem ?? "", { mode: 0o600 });
    return path;
  };
  return {
    certFile: file("cert.pem", serverCreds?.cert),
    keyFile: file("key.pem", serverCreds?.key),
    ...(clientTlsCert.length > 0 && { clientCaFile: file("client-ca.pem", clientTlsCert) }),
  };
}
