import { Agent, request } from "node:http";
import type { Service } from "../service.js";

const CALL_TIMEOUT_MS = 10_000;

/** Posts JSON, and answers the JSON of the answer. Rejects when it has another status. */
export type Post = (path: string, json: string, status: number) => Promise<string>;

/** A client for load that no load generator can make: calls that are all different. */
export interface Poster {
  readonly post: Post;
  /** Lets the connections go. */
  close(): void;
}

/** Posts over at most `connections` connections, which are kept. */
export function createPoster({ url, authorization }: Service, connections: number): Poster {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const post: Post = (path, json, status) =>
    new Promise((resolve, reject) => {
      const headers = { authorization, "content-type": "application/json", "content-length": Buffer.byteLength(json) };
      const call = request(`${url}${path}`, { method: "POST", agent, headers, timeout: CALL_TIMEOUT_MS }, (answer) => {
        const parts: Buffer[] = [];
        answer.on("data", (part: Buffer) => parts.push(part));
        answer.on("error", reject);
        answer.on("end", () => {
          const text = Buffer.concat(parts).toString();
          if (answer.statusCode === status) resolve(text);
          else reject(new Error(`${path} answered ${answer.statusCode}: ${text}`));
        });
      });
      call.on("timeout", () => call.destroy(new Error(`${path} did not answer`)));
      call.on("error", reject);
      call.end(json);
    });
  return { post, close: () => agent.destroy() };
}
