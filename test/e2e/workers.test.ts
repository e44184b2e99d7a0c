/** `serve --workers`: several real processes share one port and one store, and each may be killed. */
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { MONGO_SKIPPED, mongoTestUri } from "../mongo-server.js";
import { BODY, beginCall } from "./begin-call.js";
import { ChildService } from "./child-service.js";
import { bearer } from "./clients/api-client.js";
import { eventually } from "./eventually.js";
import { RawConnection, readHttp1Reply } from "./raw-connection.js";
import { randomToken } from "./server.js";

const KEYS = "/v2alpha1/admin/issuedApiKeys";
const VERIFY = "/v2alpha1/admin/apiKeys:verify";
/** Enough that each worker has some: they get connections in turn. */
const CONNECTIONS = 8;
/** A drain may take this long, and a test here must not. */
const PATIENT = { LATCHKEY_SERVER_DRAIN_TIMEOUT: "60s" };
const TIMEOUT_MS = 60_000;

const mongo = await mongoTestUri();
afterAll(() => mongo?.dispose());

let dataDir: string;
let service: ChildService;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "latchkey-workers-"));
});
afterEach(async () => {
  await service.stop();
  rmSync(dataDir, { recursive: true });
});

function start(workers: number, env: Record<string, string> = {}): ChildService {
  service = new ChildService({ args: ["--workers", String(workers)], env: { LATCHKEY_DATA_DIR: dataDir, ...env } });
  return service;
}

interface Line {
  readonly msg: string;
  readonly worker?: number;
  readonly pid?: number;
  readonly restart_in_ms?: number;
  readonly method?: string;
}

/** The log so far; every line of it is whole, whichever process it is from. */
function logLines(msg: string): Line[] {
  const lines = service.stdout.split("\n").slice(0, -1);
  return lines.map((line): Line => JSON.parse(line)).filter((line) => line.msg === msg);
}

/** The line about the worker that got ready as number `count`, counted from 1. */
function readyWorker(count: number): Promise<Required<Pick<Line, "worker" | "pid">>> {
  return eventually(`worker ${count} to be ready`, () => {
    const line = logLines("a worker is ready")[count - 1];
    return line && { worker: line.worker ?? 0, pid: line.pid ?? 0 };
  });
}

/** Whether there is such a process. */
function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false; // no such process
  }
}

function readToken(): string {
  return readFileSync(join(dataDir, "secrets", "admin-token"), "utf8").trim();
}

/** Callers with one connection each, which stays open. */
function openClients(url: string) {
  const headers = { ...bearer(readToken()), "content-type": "application/json" };
  return Array.from({ length: CONNECTIONS }, () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    return {
      async post(path: string, body: object): Promise<Record<string, unknown>> {
        const sent = request(`${url}${path}`, { method: "POST", headers, agent }).end(JSON.stringify(body));
        const [response] = await once(sent, "response");
        return (await json(response)) as Record<string, unknown>;
      },
      close: () => agent.destroy(),
    };
  });
}

function killIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** On a connection of its own. */
async function verifyOnce(url: string): Promise<number> {
  const headers = { ...bearer(readToken()), "content-type": "application/json", connection: "close" };
  return (await fetch(`${url}${VERIFY}`, { method: "POST", headers, body: BODY })).status;
}

/** Each data directory would have a pepper of its own, and a database has one. */
const PEPPER = randomToken();
const STORES = [
  { store: "the embedded store", env: {}, isAtOnce: true },
  ...(mongo === undefined
    ? []
    : [
        {
          store: "MongoDB",
          env: { LATCHKEY_STORE_MONGODB_URI: mongo.uri, LATCHKEY_SECRETS_PEPPER: PEPPER },
          isAtOnce: false,
        },
      ]),
];

if (mongo === undefined) test.skip(`on MongoDB, ${MONGO_SKIPPED}`, () => undefined);

describe.each(STORES)("workers on $store", ({ env, isAtOnce }) => {
  test(
    "share the port: what one of them issues all can verify, and what it revokes all refuse",
    async () => {
      const url = await start(2, env).ready();
      await service.logged("ready");
      expect(logLines("ready")).toMatchObject([{ url, workers: 2 }]);
      const clients = openClients(url);
      const [first, ...others] = clients;
      if (first === undefined) throw new Error("no client");
      const { issued_api_key, secret } = await first.post(KEYS, { name: "n", actor_id: "a" });
      let verified = 0;
      const verify = () => {
        verified += clients.length;
        return Promise.all(clients.map((client) => client.post(VERIFY, { credential: secret })));
      };
      expect((await verify()).map(({ is_valid }) => is_valid)).toEqual(clients.map(() => true));

      const { key_id } = issued_api_key as { key_id: string };
      await others[0]?.post(`/v2alpha1/admin/apiKeys/${key_id}:revoke`, {});
      const isRefused = async () =>
        (await verify()).every(({ error_code }) => error_code === "VERIFICATION_ERROR_REVOKED") || undefined;
      // On the embedded store at the next read; what is remembered of MongoDB lasts until the feed tells.
      if (isAtOnce) expect(await isRefused()).toBe(true);
      else await eventually("every worker to refuse the key", isRefused);
      for (const client of clients) client.close();

      const calls = await eventually("every call to be logged", () => {
        const logged = logLines("call").filter(({ method }) => method?.endsWith("/AdminVerifyApiKey"));
        return logged.length === verified ? logged : undefined;
      });
      for (const worker of [1, 2]) {
        expect(calls.filter((line) => line.worker === worker).length).toBeGreaterThan(0);
      }
    },
    TIMEOUT_MS,
  );

  test(
    "go on when one is killed, and it is started again",
    async () => {
      const url = await start(2, env).ready();
      const { worker, pid } = await readyWorker(1);
      process.kill(pid, "SIGKILL");
      await service.logged("a worker ended, and is started again");
      expect(logLines("a worker ended, and is started again")).toMatchObject([
        { worker, signal: "SIGKILL", restart_in_ms: 100 },
      ]);
      const statuses = new Set<number>();
      await eventually("the worker to be there again", async () => {
        statuses.add(await verifyOnce(url));
        return logLines("a worker is ready").length === 3 || undefined;
      });
      expect(statuses).toEqual(new Set([200]));
      expect((await readyWorker(3)).worker).toBe(3);
    },
    TIMEOUT_MS,
  );

  test(
    "all drain at SIGTERM: calls under way are answered, and nothing new is taken",
    async () => {
      const url = await start(2, { ...PATIENT, ...env }).ready();
      const { host } = new URL(url);
      const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => beginCall(host, readToken())));

      service.kill("SIGTERM");
      await eventually("every process to drain", () => logLines("draining").length === 3 || undefined);
      await expect(RawConnection.open(host)).rejects.toThrow("ECONNREFUSED");
      for (const connection of connections) await connection.write(BODY);
      const replies = await Promise.all(connections.map(readHttp1Reply));
      expect(replies.map(({ status }) => status)).toEqual(connections.map(() => 200));
      expect(await service.ended).toEqual({ code: 0, signal: null });
      expect(logLines("call")).toHaveLength(CONNECTIONS);
      expect(new Set(logLines("call").map(({ worker }) => worker))).toEqual(new Set([1, 2]));
      expect(
        logLines("stopped")
          .map(({ worker }) => worker)
          .sort(),
      ).toEqual([1, 2, undefined]);
    },
    TIMEOUT_MS,
  );
});

describe("workers", () => {
  test(
    "use the secrets that were made before them, and people are told once",
    async () => {
      const url = await start(2).ready();
      expect(readdirSync(join(dataDir, "secrets")).sort()).toEqual([
        "admin-token",
        "hmac",
        "pepper",
        "signing-jwks.json",
      ]);
      expect(await Promise.all(Array.from({ length: 6 }, () => verifyOnce(url)))).toEqual(Array(6).fill(200));
      expect(service.stderr.split(" is ready at ")).toHaveLength(2);
    },
    TIMEOUT_MS,
  );

  test(
    "that end again and again are started later each time, also when none is left",
    async () => {
      const url = await start(2).ready();
      await Promise.all([1, 2].map(async (count) => process.kill((await readyWorker(count)).pid, "SIGKILL")));
      for (const count of [3, 4]) process.kill((await readyWorker(count)).pid, "SIGKILL");
      await readyWorker(6);
      const delays = logLines("a worker ended, and is started again").map(({ restart_in_ms }) => restart_in_ms);
      expect(delays).toEqual([100, 100, 200, 200]);
      expect(await verifyOnce(url)).toBe(200);
    },
    TIMEOUT_MS,
  );

  test(
    "that drain too long are killed by a second signal, and the process says so",
    async () => {
      await start(2, PATIENT).ready();
      const [other, { pid }] = [await readyWorker(1), await readyWorker(2)];
      process.kill(pid, "SIGSTOP");
      service.kill("SIGTERM");
      await eventually("the other worker to end", () => !isRunning(other.pid) || undefined);
      // The first ones may be echoes of the one before.
      await eventually("the process to end", () => {
        service.kill("SIGTERM");
        return !isRunning(service.pid) || undefined;
      });
      expect(await service.ended).toEqual({ code: 1, signal: null });
      expect(service.stderr).toContain("\nlatchkey: 1 of 2 workers did not drain\n");
    },
    TIMEOUT_MS,
  );

  test(
    "that drain too long are killed after the time limit",
    async () => {
      await start(2, { LATCHKEY_SERVER_DRAIN_TIMEOUT: "100ms" }).ready();
      process.kill((await readyWorker(1)).pid, "SIGSTOP");
      service.kill("SIGINT");
      expect(await service.ended).toEqual({ code: 1, signal: null });
      expect(service.stderr).toContain("\nlatchkey: 1 of 2 workers did not drain\n");
    },
    TIMEOUT_MS,
  );

  test(
    "take a signal that was for all of them twice for one",
    async () => {
      const url = await start(2, PATIENT).ready();
      const connection = await beginCall(new URL(url).host, readToken());
      const pids = [(await readyWorker(1)).pid, (await readyWorker(2)).pid];
      for (const pid of [...pids, ...pids]) killIfThere(pid, "SIGTERM");
      service.kill("SIGTERM");
      await eventually("every process to drain", () => logLines("draining").length === 3 || undefined);
      for (const pid of pids) killIfThere(pid, "SIGINT");
      await connection.write(BODY);
      expect((await readHttp1Reply(connection)).status).toBe(200);
      expect(await service.ended).toEqual({ code: 0, signal: null });
    },
    TIMEOUT_MS,
  );

  test(
    "that have not started yet need not, when the service is to stop",
    async () => {
      start(2);
      await readyWorker(1);
      service.kill("SIGTERM");
      expect(await service.ended).toEqual({ code: 0, signal: null });
      expect(service.stderr).toBe("");
      expect(logLines("a worker is ready")).toHaveLength(1);
      expect(logLines("stopped").map(({ worker }) => worker)).toEqual([1, undefined]);
    },
    TIMEOUT_MS,
  );

  test(
    "end with their primary",
    async () => {
      const url = await start(2).ready();
      const { host } = new URL(url);
      service.kill("SIGKILL");
      await service.ended; // that is when nobody has its stderr any more, which the workers share
      await expect(RawConnection.open(host)).rejects.toThrow("ECONNREFUSED");
    },
    TIMEOUT_MS,
  );

  test(
    "that cannot start end the process with what the first of them says",
    async () => {
      const uri = "mongodb://127.0.0.1:1/latchkey";
      start(3, { LATCHKEY_STORE_MONGODB_URI: uri, LATCHKEY_STORE_MONGODB_TIMEOUT: "500ms" });
      expect(await service.ended).toEqual({ code: 3, signal: null });
      expect(service.stderr).toBe(
        "latchkey: MongoDB at 127.0.0.1:1 cannot be reached (ECONNREFUSED, no usable answer within 500 ms)\n" +
          "  is it running, and does store.mongodb.uri (LATCHKEY_STORE_MONGODB_URI) name its servers?\n" +
          "latchkey: the first worker did not start: exit code 3\n",
      );
      expect(service.stdout).toBe("");
    },
    TIMEOUT_MS,
  );

  test(
    "are not started where the port is in use",
    async () => {
      const { port } = new URL(await start(2).ready());
      const second = new ChildService({
        args: ["--workers", "2"],
        env: { LATCHKEY_DATA_DIR: dataDir, LATCHKEY_SERVER_PORT: port },
      });
      expect(await second.ended).toEqual({ code: 1, signal: null });
      expect(second.stderr).toBe(`latchkey: listen EADDRINUSE: address already in use 127.0.0.1:${port}\n`);
    },
    TIMEOUT_MS,
  );
});
