/** Page tokens across restarts: the secret they are sealed with may change, and each deployment has its own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { Api, invalid } from "./api.js";
import { createFetchRestClient } from "./clients/rest-client.js";
import { randomToken, startTestServer, type TestServer } from "./server.js";

const WRONG_TOKEN = invalid(
  "page_token",
  "is not a next_page_token of this list with this filter",
  "INVALID_PAGE_TOKEN",
);

let dataDir: string;
let started: TestServer[];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "latchkey-page-token-"));
  started = [];
});
afterEach(async () => {
  await Promise.all(started.map((server) => server.close()));
  rmSync(dataDir, { recursive: true });
});

async function start(env: Readonly<Record<string, string>>): Promise<Api> {
  const server = await startTestServer({ env });
  started.push(server);
  return new Api(createFetchRestClient(server.url), server.tokens, server.signingJwk);
}

/** A service on this test's data directory; the one before it is stopped, as a restart does. */
async function restart(env: Readonly<Record<string, string>> = {}): Promise<Api> {
  await started.pop()?.close();
  return start({ LATCHKEY_DATA_DIR: dataDir, ...env });
}

async function issueSeveral(api: Api, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index++) ids.push((await api.issue({ actor_id: "a" })).issued_api_key.key_id);
  return ids;
}

async function nextPage(api: Api, page_token: string) {
  const { issued_api_keys, next_page_token } = await api.list({ page_size: 1, page_token });
  return { ids: issued_api_keys.map(({ key_id }) => key_id), token: next_page_token };
}

test("a walk goes on after a restart, and after secrets.hmac was replaced, until the old secret is gone", async () => {
  const [old, recent] = [randomToken(), randomToken()];
  const api = await restart({ LATCHKEY_SECRETS_HMAC_CURRENT: old });
  const issued = await issueSeveral(api, 4);
  const one = await nextPage(api, "");
  const two = await nextPage(await restart({ LATCHKEY_SECRETS_HMAC_CURRENT: old }), one.token);

  const both = { LATCHKEY_SECRETS_HMAC_CURRENT: recent, LATCHKEY_SECRETS_HMAC_RETIRED: old };
  const three = await nextPage(await restart(both), two.token);
  const after = await restart({ LATCHKEY_SECRETS_HMAC_CURRENT: recent });
  const four = await nextPage(after, three.token);
  expect([one, two, three, four].flatMap(({ ids }) => ids).sort()).toEqual(issued.sort());
  expect(four.token).toBe("");
  for (const { token } of [one, two]) {
    expect(await after.refusal("AdminListIssuedApiKeys", { page_size: 1, page_token: token })).toEqual(WRONG_TOKEN);
  }
});

test("the token of another deployment is no token", async () => {
  const api = await restart();
  const other = await start({});
  for (const one of [api, other]) await issueSeveral(one, 2);
  const { token } = await nextPage(api, "");
  expect(await other.refusal("AdminListIssuedApiKeys", { page_token: token })).toEqual(WRONG_TOKEN);
  expect((await nextPage(api, token)).ids).toHaveLength(1);
});
