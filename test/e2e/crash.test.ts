/** kill -9 at any moment loses nothing that was acknowledged: a real process, the embedded store, and a load of writes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { Api } from "./api.js";
import { ChildService } from "./child-service.js";
import { createFetchRestClient } from "./clients/rest-client.js";
import { createRandom } from "./create-random.js";
import { changeKeys, expectKept, type KnownKey } from "./known-keys.js";
import { adminTokens, randomTokens } from "./server.js";

const ROUNDS = 6;
const CALLERS = 8;
/** The process is killed after so many acknowledged calls of a round, with all callers in the middle of the next one. */
const MOST_CALLS = 400;
const TIME_LIMIT_MS = 120_000;

const directory = mkdtempSync(join(tmpdir(), "latchkey-crash-"));
const tokens = randomTokens();
afterAll(() => rmSync(directory, { recursive: true }));

test(
  "what was acknowledged before a kill -9 is there after it",
  async () => {
    const keys: KnownKey[] = [];
    const random = createRandom(11);
    for (let round = 0; round < ROUNDS; round++) {
      const service = startService();
      let callsLeft = 1 + (random() % MOST_CALLS);
      const api = apiOf(await service.ready(), () => {
        if (--callsLeft === 0) service.kill("SIGKILL");
      });
      const callers = Array.from({ length: CALLERS }, () => changeUntilCut(api, keys));
      await Promise.all([...callers, service.ended]);
    }

    const service = startService();
    const api = apiOf(await service.ready());
    try {
      await Promise.all(keys.map((key) => expectKept(api, key)));
      for (const state of ["issued", "revoked", "rotated"] as const) {
        expect(keys.filter((key) => key.state === state).length).toBeGreaterThan(ROUNDS);
      }
    } finally {
      await service.stop();
    }
  },
  TIME_LIMIT_MS,
);

/** Changes keys, one call after the other, until the process is gone. */
async function changeUntilCut(api: Api, keys: KnownKey[]): Promise<void> {
  try {
    for (;;) await changeKeys(api, keys);
  } catch (error) {
    if (!isCut(error)) throw error;
  }
}

/** What fetch throws when the connection breaks; told by its name, because its errors are of another realm than the tests' classes. */
function isCut(error: unknown): boolean {
  return (error as Error).name === "TypeError";
}

function apiOf(url: string, onAcknowledged: () => void = () => undefined): Api {
  const client = createFetchRestClient(url);
  const call: typeof client.call = async (rpc, request, options) => {
    const outcome = await client.call(rpc, request, options);
    if (outcome.ok) onAcknowledged();
    return outcome;
  };
  return new Api({ ...client, call }, tokens);
}

function startService(): ChildService {
  return new ChildService({
    env: {
      LATCHKEY_DATA_DIR: join(directory, "data"),
      LATCHKEY_LOG_LEVEL: "warn",
      LATCHKEY_ADMIN_TOKENS: adminTokens(tokens),
    },
  });
}
