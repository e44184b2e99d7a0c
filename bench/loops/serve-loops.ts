import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Does its work for so long, or as much of it as `amount` says. Answers calls per second, or what else it counts. */
export type Loop = (amount: number) => number | Promise<number>;

const HOST = "127.0.0.1";
/** Between looks at the clock. */
const STEPS = 16;

/** Serves loops to `measureLoop`: `POST /NAME` with the amount runs one, here on the server's core. Says its URL. */
export function serveLoops(loops: Readonly<Record<string, Loop>>): void {
  const server = createServer(async (request, response) => {
    try {
      let amount = "";
      for await (const part of request) amount += part;
      const loop = loops[request.url?.slice(1) ?? ""];
      if (loop === undefined) throw new Error(`there is no loop ${request.url}`);
      response.end(JSON.stringify(await loop(Number(amount))));
    } catch (error) {
      response.writeHead(500).end(error instanceof Error ? error.stack : String(error));
    }
  });
  server.requestTimeout = 0;
  server.listen(0, HOST, () => {
    process.stdout.write(`ready at http://${HOST}:${(server.address() as AddressInfo).port}\n`);
  });
  process.once("SIGTERM", () => process.exit());
}

/** Repeats `step`, which waits for nothing, until the time is over. Answers steps per second. */
export function repeatForAWhile(seconds: number, step: (at: number) => void): number {
  const startedAt = performance.now();
  let steps = 0;
  while (performance.now() - startedAt < seconds * 1000) {
    for (const end = steps + STEPS; steps < end; steps += 1) step(steps);
  }
  return steps / ((performance.now() - startedAt) / 1000);
}
