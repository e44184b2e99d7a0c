import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { type Call, callOverGrpc, callOverRest } from "../call.js";
import type { Contestant } from "../rounds.js";
import type { Servers } from "../with-servers.js";
import { hasH2load, measureGrpc } from "./h2load.js";
import { measureRest } from "./http1.js";

export type Protocol = "gRPC" | "REST";

/** Where a load over gRPC is wanted, and there may be no h2load. */
export const grpcIfPossible: Protocol = hasH2load ? "gRPC" : "REST";

export interface CallLoad<O extends DescMessage> {
  readonly name: string;
  readonly protocol: Protocol;
  readonly call: Call<O>;
  /** Whether an answer is the one that is meant. Asked once, over gRPC; the load then looks at its length, or its status. */
  isGood(answer: MessageShape<O>): boolean;
}

/** One call of the service, again and again. Throws when its answer is not a good one. */
export async function callContestant<O extends DescMessage>(
  { service, workFile }: Servers,
  { name, protocol, call, isGood }: CallLoad<O>,
): Promise<Contestant> {
  const { url, authorization, process: server } = service;
  const ask = async () => {
    const { frame, message } = await callOverGrpc(service, call);
    if (!isGood(message)) throw new Error(`${name}: the answer is not the one expected`);
    return frame;
  };
  const answerBytes = (await ask()).length;
  if (protocol === "gRPC") {
    const frameFile = await workFile(`${name}.frame`, call.frame);
    const load = { url, authorization, rpc: call.rpc, frameFile, answerBytes };
    return { name, server, measure: (seconds) => measureGrpc(load, seconds) };
  }
  await callOverRest(service, call);
  const bodiesFile = await workFile(`${name}.body`, call.body);
  const load = { url, authorization, route: call.route, bodiesFile, bodyBytes: Buffer.byteLength(call.body) };
  return { name, server, measure: (seconds) => measureRest(load, seconds) };
}
