/** kill -9 at any moment loses nothing that was acknowledged: a real process, the embedded store, and a load of writes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { ChildService } from "./child-service.js";
import { bearer, type JsonObject } from "./clients/api-client.js";
import { createRandom } from "./create-random.js";
import { randomToken } from "./server.js";

const ROUNDS = 6;
const CALLERS = 8;
/** The process is killed after so many acknowledged calls of a round, with all callers in the middle of the next one. */
const MOST_CALLS = 400;
const KEYS = "/v2alpha1/admin/issuedApiKeys";
const VALID = "VERIFICATION_ERROR_UNSPECIFIED";
const REVOKED = "VERIFICATION_ERROR_REVOKED";

const directory = mkdtempSync(join(tmpdir(), "latchkey-crash-"));
const token = randomToken();
afterAll(() => rmSync(directory, { recursive: true }));

/** A key and what its caller was told of it last. The call that was cut off may have happened or not. */
interface KnownKey {
  /** Of this key and its successors, and of no other. */
  readonly actorId: string;
  readonly keyId: string;
  readonly secret: string;
  state: "issued" | "revoking" | "revoked" | "rotating" | "rotated";
}

test("what was acknowledged before a kill -9 is there after it", async () => {
  const keys: KnownKey[] = [];
  const random = createRandom(11);
  for (let round = 0; round < ROUNDS; round++) {
    const service = startService();
    const url = await service.ready();
    let callsLeft = 1 + (random() % MOST_CALLS);
    const onAcknowledged = () => {
      if (--callsLeft === 0) service.kill("SIGKILL");
    };
    const callers = Array.from({ length: CALLERS }, () => callUntilCut({ url, onAcknowledged }, keys));
    await Promise.all([...callers, service.ended]);
  }

  const service = startService();
  const server = { url: await service.ready() };
  try {
    const outcomes = await Promise.all(keys.map((key) => look(server, key)));
    for (const { key, code, active } of outcomes) {
      const { state } = key;
      if (state === "issued") expect([state, code, active]).toEqual(["issued", VALID, 1]);
      if (state === "revoked") expect([state, code, active]).toEqual(["revoked", REVOKED, 0]);
      if (state === "rotated") expect([state, code]).toEqual(["rotated", REVOKED]);
      if (state === "revoking") expect([VALID, REVOKED]).toContain(code);
      // Cut off: the old key is usable, or one new key is there in its place. Never none, and never both.
      if (state === "rotating") expect([VALID, REVOKED].map((one) => [one, 1])).toContainEqual([code, active]);
    }
    for (const state of ["issued", "revoked", "rotated"] as const) {
      expect(keys.filter((key) => key.state === state).length).toBeGreaterThan(ROUNDS);
    }
  } finally {
    await service.stop();
  }
});

interface Server {
  readonly url: string;
  readonly onAcknowledged?: () => void;
}

/** Issues, rotates and revokes, one after the other, until the process is gone. */
async function callUntilCut(server: Server, keys: KnownKey[]): Promise<void> {
  const issue = async () => {
    const actorId = randomToken();
    const key = keyFromAnswer(actorId, await post(server, KEYS, { name: "key", actor_id: actorId }));
    keys.push(key);
    return key;
  };
  try {
    for (;;) {
      await issue();

      const doomed = await issue();
      doomed.state = "revoking";
      await post(server, `/v2alpha1/admin/apiKeys/${doomed.keyId}:revoke`, {});
      doomed.state = "revoked";

      const old = await issue();
      old.state = "rotating";
      keys.push(keyFromAnswer(old.actorId, await post(server, `${KEYS}/${old.keyId}:rotate`, {})));
      old.state = "rotated";
    }
  } catch (error) {
    if (!isCut(error)) throw error;
  }
}

/** What a key is worth now, and how many keys of its actor are active. */
async function look(server: Server, key: KnownKey) {
  const { error_code: code } = await post(server, "/v2alpha1/admin/apiKeys:verify", { credential: key.secret });
  const query = new URLSearchParams({ filter: `actor_id="${key.actorId}" AND status=KEY_STATUS_ACTIVE` });
  const response = await fetch(`${server.url}${KEYS}?${query}`, { headers: bearer(token) });
  const { issued_api_keys: active } = (await response.json()) as { issued_api_keys: unknown[] };
  return { key, code, active: active.length };
}

/** Throws what fetch throws when the connection breaks before the whole answer is there. */
async function post({ url, onAcknowledged }: Server, path: string, body: JsonObject): Promise<JsonObject> {
  const response = await fetch(url + path, {
    method: "POST",
    headers: { ...bearer(token), "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  onAcknowledged?.();
  return JSON.parse(text) as JsonObject;
}

/** Told by its name, because fetch's errors are of another realm than the tests' classes. */
function isCut(error: unknown): boolean {
  return (error as Error).name === "TypeError";
}

function keyFromAnswer(actorId: string, answer: JsonObject): KnownKey {
  const { issued_api_key: key, secret } = answer as { issued_api_key: { key_id: string }; secret: string };
  return { actorId, keyId: key.key_id, secret, state: "issued" };
}

function startService(): ChildService {
  return new ChildService({
    env: {
      LATCHKEY_DATA_DIR: join(directory, "data"),
      LATCHKEY_LOG_LEVEL: "warn",
      LATCHKEY_ADMIN_TOKENS: JSON.stringify([{ name: "test", token, role: "admin" }]),
    },
  });
}
