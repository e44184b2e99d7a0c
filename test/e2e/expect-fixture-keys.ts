/** What has to be true of the keys that `createFixtureKeys` asked a release for. */
import { expect } from "@jest/globals";
import { callsOf, type FixtureKeys, REPEATED } from "../fixtures/fixture-keys.js";

/** Asks about everything that is there, twice, for what was read first may be remembered. */
export async function expectFixtureKeys(
  url: string,
  token: string,
  { credentials, issued, imported }: FixtureKeys,
): Promise<void> {
  const api = callsOf(url, token);
  for (const { about, credential, verdict } of [...credentials, ...credentials]) {
    const { error_code } = (await api.post("apiKeys:verify", { credential })) as { error_code?: string };
    expect({ about, error_code }).toEqual({ about, error_code: `VERIFICATION_ERROR_${verdict}` });
  }
  const lists = { issued: await api.get("issuedApiKeys"), imported: await api.get("importedApiKeys") };
  expect(lists.issued.issued_api_keys.map(withoutUse)).toEqual(issued.map(withoutUse));
  expect(lists.imported.imported_api_keys.map(withoutUse)).toEqual(imported.map(withoutUse));
  for (const key of issued) expect(withoutUse(await api.get(`issuedApiKeys/${key.key_id}`))).toEqual(withoutUse(key));
  for (const status of ["ACTIVE", "REVOKED", "EXPIRED"].map((word) => `KEY_STATUS_${word}`)) {
    const { issued_api_keys } = await api.get(`issuedApiKeys?filter=${encodeURIComponent(`status=${status}`)}`);
    const ids = issued.filter((key) => key.status === status).map(({ key_id }) => key_id);
    expect(ids.length).toBeGreaterThan(0);
    expect(issued_api_keys.map(({ key_id }) => key_id)).toEqual(ids);
  }
}

/** Changes what is there as any other key, and repeats a request of back then. */
export async function expectFixtureChanges(
  url: string,
  token: string,
  { issued, credentials }: FixtureKeys,
): Promise<void> {
  const api = callsOf(url, token);
  const full = issued.find((key) => key.metadata !== undefined && key.rate_limit_policy);
  const repeated = await api.post("issuedApiKeys", REPEATED);
  expect(issued.map(({ key_id }) => key_id)).toContain(repeated.issued_api_key.key_id);

  const path = `issuedApiKeys/${full?.key_id}`;
  expect(withoutUse(await api.patch(path, { scopes: ["read"] }))).toEqual({
    ...withoutUse(full ?? {}),
    scopes: ["read"],
    update_time: expect.any(String),
  });
  const { secret } = await api.post(`${path}:rotate`, {});
  const verdictOf = async (credential: string) => (await api.post("apiKeys:verify", { credential })).status;
  expect(await verdictOf(secret)).toBe("KEY_STATUS_ACTIVE");
  expect(await verdictOf(credentials[0]?.credential ?? "")).toBe("KEY_STATUS_REVOKED");
  // A token ends with its key.
  for (const { about, credential } of credentials.filter(({ about }) => about.startsWith("a token"))) {
    expect({ about, status: await verdictOf(credential) }).toEqual({ about, status: "KEY_STATUS_REVOKED" });
  }
  const imported = await api.post("importedApiKeys", { name: "n", actor_id: "a", raw_key: "legacy-fixture-2" });
  expect(imported.status).toBe("KEY_STATUS_ACTIVE");
}

/** Verifying a key changes when it was used. */
function withoutUse(key: object): object {
  const { last_used_time: _, ...others } = key as Readonly<Record<string, unknown>>;
  return others;
}
