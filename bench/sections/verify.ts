import { issueKey, VERIFY_ROUTE, verifyCall, verifyOverGrpc, verifyOverRest } from "../api.js";
import { hasH2load, measureGrpc } from "../load/h2load.js";
import { measureRest } from "../load/http1.js";
import type { Options } from "../options.js";
import type { ServerProcess } from "../pinned-process.js";
import { type Contestant, measureRounds } from "../rounds.js";
import { comparedRow, type Measured } from "../table.js";
import { withServers } from "../with-servers.js";

const TARGET = { http2: 0.8, grpcJs: 1.3, http: 0.75 };

/** Verification of one key over gRPC against a server that does nothing but node:http2, and against grpc-js. */
export function benchGrpc(options: Options, say: (text: string) => void): Promise<Measured[]> {
  return withServers(options, async ({ service, startReference, workFile }) => {
    if (!hasH2load) {
      say("grpc: there is no h2load (Debian: nghttp2-client), so nothing is measured over gRPC");
      return [];
    }
    const call = verifyCall(await issueKey(service));
    const answer = await verifyOverGrpc(service, call);
    say(`grpc: verify, frames of ${call.frame.length} and ${answer.length} bytes`);
    const load = {
      authorization: service.authorization,
      rpc: call.rpc,
      frameFile: await workFile("frame", call.frame),
      answerBytes: answer.length,
    };
    const contestant = (name: string, server: ServerProcess): Contestant => ({
      name,
      server,
      measure: (seconds) => measureGrpc({ ...load, url: server.url }, seconds),
    });
    const figures = await measureRounds(
      [
        contestant("ours", service.process),
        contestant("http2", await startReference("http2-unary", answer)),
        contestant("grpc-js", await startReference("grpc-js-echo", answer)),
      ],
      options,
    );
    await verifyOverGrpc(service, call);
    const ours = figures.get("ours");
    return [
      comparedRow("verify over gRPC to bare node:http2, calls/s", ours, figures.get("http2"), TARGET.http2),
      comparedRow("verify over gRPC to grpc-js echo, calls/s", ours, figures.get("grpc-js"), TARGET.grpcJs),
    ];
  });
}

/** Verification of one key over REST against a server that does nothing but node:http and JSON.parse. */
export function benchRest(options: Options, say: (text: string) => void): Promise<Measured[]> {
  return withServers(options, async ({ service, startReference, workFile }) => {
    const body = JSON.stringify({ credential: await issueKey(service) });
    const answer = await verifyOverRest(service, body);
    say(`rest: verify, bodies of ${body.length} and ${answer.length} bytes`);
    const load = {
      authorization: service.authorization,
      route: VERIFY_ROUTE,
      bodiesFile: await workFile("body", body),
      bodyBytes: body.length,
    };
    const contestant = (name: string, server: ServerProcess): Contestant => ({
      name,
      server,
      measure: (seconds) => measureRest({ ...load, url: server.url }, seconds),
    });
    const figures = await measureRounds(
      [contestant("ours", service.process), contestant("http", await startReference("http-json", answer))],
      options,
    );
    await verifyOverRest(service, body);
    const name = "verify over REST to bare node:http, calls/s";
    return [comparedRow(name, figures.get("ours"), figures.get("http"), TARGET.http)];
  });
}
