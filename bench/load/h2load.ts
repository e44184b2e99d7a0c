import { GRPC_HEADERS } from "../call.js";
import { isInstalled } from "../pinned-process.js";
import { runLoad } from "./run-load.js";

export const H2LOAD_CLIENTS = { connections: 8, streams: 8 };

export const hasH2load = isInstalled("h2load");

export interface GrpcLoad {
  readonly url: string;
  readonly authorization: string;
  /** Path of the method. */
  readonly rpc: string;
  /** A file with the request's frame. */
  readonly frameFile: string;
  /** Length of the answer's frame. h2load does not see `grpc-status`, but counts bytes. */
  readonly answerBytes: number;
}

/** Calls per second over gRPC without TLS. Throws when any of the answers was not the one expected. */
export async function measureGrpc(load: GrpcLoad, seconds: number): Promise<number> {
  const headers = Object.entries({ ...GRPC_HEADERS, authorization: load.authorization });
  const words = [
    ...["-c", String(H2LOAD_CLIENTS.connections), "-m", String(H2LOAD_CLIENTS.streams), "-t", "1"],
    ...["-D", String(seconds), "-d", load.frameFile],
    ...headers.flatMap(([name, value]) => ["-H", `${name}: ${value}`]),
    `${load.url}${load.rpc}`,
  ];
  const output = await runLoad("h2load", words, seconds);
  const perSecond = Number(/^finished in .*?, ([\d.]+) req\/s/m.exec(output)?.[1]);
  const [failed, errored] = (/(\d+) failed, (\d+) errored/.exec(output) ?? []).slice(1).map(Number);
  const answers = Number(/^status codes: (\d+) 2xx/m.exec(output)?.[1]);
  const bytes = Number(/\((\d+)\) data$/m.exec(output)?.[1]);
  const mostUnderWay = H2LOAD_CLIENTS.connections * H2LOAD_CLIENTS.streams;
  const isAsExpected = Math.abs(bytes / load.answerBytes - answers) <= mostUnderWay;
  if (!(perSecond > 0) || failed !== 0 || errored !== 0 || !isAsExpected) {
    throw new Error(`h2load: not every call was answered with ${load.answerBytes} bytes:\n${output}`);
  }
  return perSecond;
}
