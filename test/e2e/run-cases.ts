import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Api } from "./api.js";
import { callCases } from "./cases/call-cases.js";
import type { Case } from "./cases/case.js";
import { getCases } from "./cases/get-cases.js";
import { issueCases } from "./cases/issue-cases.js";
import { listCases } from "./cases/list-cases.js";
import { revokeCases } from "./cases/revoke-cases.js";
import { rotateCases } from "./cases/rotate-cases.js";
import { updateCases } from "./cases/update-cases.js";
import { storyCases, verifyCases } from "./cases/verify-cases.js";
import { CLIENTS } from "./clients/create-clients.js";
import { startTestServer, type TestServer } from "./server.js";

const CASES: Readonly<Record<string, readonly Case[]>> = {
  story: storyCases,
  calls: callCases,
  issue: issueCases,
  get: getCases,
  list: listCases,
  update: updateCases,
  rotate: rotateCases,
  revoke: revokeCases,
  verify: verifyCases,
};

const TUNED = {
  LATCHKEY_KEYS_PUBLIC_PREFIX: "pub",
  LATCHKEY_KEYS_DEFAULT_TTL: "1h",
  LATCHKEY_KEYS_MAX_TTL: "2h",
};

export interface RunOptions {
  /** Absent: the embedded store. */
  readonly mongodbUri?: string | undefined;
  /** More settings, as environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Names of clients; absent: all of them. */
  readonly clients?: readonly string[];
}

/** Runs every case through these clients. */
export function runCases({ mongodbUri, env = {}, clients = Object.keys(CLIENTS) }: RunOptions = {}): void {
  const servers: { plain?: TestServer; tuned?: TestServer } = {};
  const secrets = new Set<string>();

  beforeAll(async () => {
    servers.plain = await startTestServer({ mongodbUri, env });
    servers.tuned = await startTestServer({ mongodbUri, env: { ...TUNED, ...env } });
  });
  afterAll(async () => {
    await Promise.all([servers.plain?.close(), servers.tuned?.close()]);
  });

  for (const clientName of clients) {
    const createClient = started(CLIENTS[clientName]);
    describe(clientName, () => {
      const apis: { plain?: Api; tuned?: Api } = {};

      beforeAll(async () => {
        for (const name of ["plain", "tuned"] as const) {
          const { url, tokens } = started(servers[name]);
          apis[name] = new Api(await createClient(url), tokens);
        }
      });
      afterAll(() => {
        for (const api of Object.values(apis)) {
          api.client.close();
          for (const secret of api.secrets) secrets.add(secret);
        }
      });

      for (const [group, cases] of Object.entries(CASES)) {
        describe(group, () => {
          for (const { name, run, server = "plain" } of cases) {
            test(name, () => run({ api: started(apis[server]), actorId: randomUUID() }));
          }
        });
      }
    });
  }

  test("no secret, token or credential is in any line of the log", () => {
    for (const { log, tokens } of [started(servers.plain), started(servers.tuned)]) {
      const text = log.join("");
      expect(log.filter((line) => line.includes('"msg":"call"')).length).toBeGreaterThan(clients.length);
      const looked = [...secrets, ...Object.values(tokens)].filter((secret) => secret.length > SHORTEST_SECRET);
      expect(looked.length).toBeGreaterThan(clients.length);
      expect(looked.filter((secret) => text.includes(secret))).toEqual([]);
      expect(text).not.toMatch(/[a-z]_v1_/);
    }
  });

  test("nothing went wrong inside: no line of the log is a warning or an error", () => {
    for (const { log } of [started(servers.plain), started(servers.tuned)]) {
      expect(log.filter((line) => /"level":"(warn|error|fatal)"/.test(line))).toEqual([]);
    }
  });
}

/** The cases' made-up credentials, such as "unknown", are words that a line may hold. */
const SHORTEST_SECRET = 10;

function started<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("not started");
  return value;
}
