import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Api } from "./api.js";
import { CASES } from "./cases/all-cases.js";
import type { ServerName } from "./cases/case.js";
import { CLIENTS } from "./clients/create-clients.js";
import { randomToken, startTestServer, type TestServer, troubleIn } from "./server.js";

/** Settings of each server, beside those of `startTestServer`. */
const SERVERS: Readonly<Record<ServerName, Readonly<Record<string, string>>>> = {
  plain: {},
  tuned: {
    LATCHKEY_KEYS_PUBLIC_PREFIX: "pub",
    LATCHKEY_KEYS_DEFAULT_TTL: "1h",
    LATCHKEY_KEYS_MAX_TTL: "2h",
  },
  proxied: {
    LATCHKEY_CLIENT_IP_SOURCE: "x_forwarded_for",
    LATCHKEY_CLIENT_IP_TRUSTED_PROXIES: "127.0.0.1,::1",
  },
};
const SERVER_NAMES = Object.keys(SERVERS) as ServerName[];

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
  const servers = new Map<ServerName, TestServer>();
  const secrets = new Set<string>();
  // The servers share what MongoDB holds, so they need one pepper.
  const pepper = randomToken();
  secrets.add(pepper);

  beforeAll(async () => {
    for (const name of SERVER_NAMES) {
      const settings = { LATCHKEY_SECRETS_PEPPER: pepper, ...SERVERS[name], ...env };
      servers.set(name, await startTestServer({ mongodbUri, env: settings }));
    }
  });
  afterAll(async () => {
    await Promise.all([...servers.values()].map((server) => server.close()));
  });

  for (const clientName of clients) {
    const createClient = started(CLIENTS[clientName]);
    describe(clientName, () => {
      const apis = new Map<ServerName, Api>();

      beforeAll(async () => {
        for (const [name, { url, tokens, signingJwk }] of servers) {
          apis.set(name, new Api(await createClient(url), tokens, signingJwk));
        }
      });
      afterAll(() => {
        for (const api of apis.values()) {
          api.client.close();
          for (const secret of api.secrets) secrets.add(secret);
        }
      });

      for (const [group, cases] of Object.entries(CASES)) {
        describe(group, () => {
          for (const { name, run, server = "plain" } of cases) {
            test(name, () => run({ api: started(apis.get(server)), actorId: randomUUID() }));
          }
        });
      }
    });
  }

  test("no secret, token or credential is in any line of the log", () => {
    for (const { log, tokens, signingJwk } of servers.values()) {
      const text = log.join("");
      expect(log.filter((line) => line.includes('"msg":"call"')).length).toBeGreaterThan(clients.length);
      const looked = new Set(
        [...secrets, ...Object.values(tokens), started(signingJwk?.d)]
          .filter((secret) => secret.length > SHORTEST_SECRET)
          .map((secret) => secret.slice(0, TELLING_CHARACTERS)),
      );
      expect(looked.size).toBeGreaterThan(clients.length);
      expect([...looked].filter((secret) => text.includes(secret))).toEqual([]);
      expect(text).not.toMatch(/[a-z]_v1_/);
    }
  });

  test("nothing went wrong inside: no line of the log is a warning or an error", () => {
    for (const { log } of servers.values()) expect(troubleIn(log)).toEqual([]);
  });
}

/** The cases' made-up credentials, such as "unknown", are words that a line may hold. */
const SHORTEST_SECRET = 10;
/** Of a secret, no line may hold even the beginning; what begins alike is looked for once. */
const TELLING_CHARACTERS = 24;

function started<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("not started");
  return value;
}
