import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { issueKey, verifyFrame, verifyOverGrpc, verifyOverRest } from "../api.js";
import { hasH2load, measureGrpc } from "../load/h2load.js";
import { measureRest } from "../load/http1.js";
import type { Options } from "../options.js";
import { ServerProcess } from "../pinned-process.js";
import { type Contestant, measureRounds } from "../rounds.js";
import { Service } from "../service.js";
import { comparedRow, type Measured } from "../table.js";
import { createWorkDirectory, removeWorkDirectory } from "../work-directory.js";

const TARGET = { http2: 0.8, grpcJs: 1.3, http: 0.75 };

/** Verification of one key over gRPC against a server that does nothing but node:http2, and against grpc-js. */
export function benchGrpc(options: Options, say: (text: string) => void): Promise<Measured[]> {
  return withServers(options, async ({ service, startReference, workFile }) => {
    if (!hasH2load) {
      say("grpc: there is no h2load (Debian: nghttp2-client), so nothing is measured over gRPC");
      return [];
    }
    const frame = verifyFrame(await issueKey(service));
    const answer = await verifyOverGrpc(service, frame);
    say(`grpc: verify, frames of ${frame.length} and ${answer.length} bytes`);
    const load = {
      authorization: service.authorization,
      frameFile: await workFile("frame", frame),
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
    await verifyOverGrpc(service, frame);
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

interface Servers {
  readonly service: Service;
  /** Starts one of `bench/servers/`; it answers every call with `answer`. */
  startReference(name: string, answer: string | Buffer): Promise<ServerProcess>;
  /** Writes a file; answers its path. */
  workFile(name: string, content: string | Buffer): Promise<string>;
}

async function withServers<T>(options: Options, use: (servers: Servers) => Promise<T>): Promise<T> {
  const work = createWorkDirectory();
  const service = await Service.start(options);
  const references: ServerProcess[] = [];
  try {
    return await use({
      service,
      async startReference(name, answer) {
        const file = fileURLToPath(new URL(`../servers/${name}.mjs`, import.meta.url));
        const words = [file, Buffer.from(answer).toString("base64")];
        const server = await ServerProcess.start({ words, ready: /^ready at (\S+)$/m });
        references.push(server);
        return server;
      },
      async workFile(name, content) {
        await writeFile(join(work, name), content);
        return join(work, name);
      },
    });
  } finally {
    for (const server of references) await server.stop();
    await service.stop();
    removeWorkDirectory(work);
  }
}
