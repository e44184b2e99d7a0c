import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { RotatedSecret } from "../../src/cli/rotated-secrets.js";
import { forgetSecrets, rotateSecret } from "../../src/cli/secrets.js";
import { loadConfig } from "../../src/config/load-config.js";
import { readRetiredHmac } from "../../src/secrets/hmac-files.js";
import { loadOrCreateSecrets } from "../../src/secrets/load-or-create-secrets.js";
import { rotateHmac } from "../../src/secrets/rotate-hmac.js";
import { rotateSigningKey } from "../../src/secrets/rotate-signing-key.js";

const NAMES: readonly RotatedSecret[] = ["hmac", "signing-key"];
const HOUR_MS = 3_600_000;
/** Far more than a test takes. */
const SLACK_MS = 300_000;
const SECRET = "a-secret-of-32-characters-or-more";

let dataDir: string;
let out: string;
const stdout = { write: (text: string) => (out += text) };

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "latchkey-secrets-cli-"));
  out = "";
  const configured = { hmac: { current: undefined, retired: [] }, pepper: undefined };
  await loadOrCreateSecrets({ dataDir, configured, needsAdminToken: true });
});
afterEach(() => rmSync(dataDir, { recursive: true }));

function configOf(env: Readonly<Record<string, string>> = {}) {
  const { config } = loadConfig({ env: { LATCHKEY_DATA_DIR: dataDir, ...env } });
  if (config === undefined) throw new Error("the configuration is wrong");
  return config;
}

/** Retires one so long ago. */
async function retire(name: RotatedSecret, agoMs: number): Promise<void> {
  const rotation = { directory: join(dataDir, "secrets"), usedFromMs: Date.now() - agoMs };
  await (name === "hmac" ? rotateHmac(rotation) : rotateSigningKey(rotation));
}

test.each(NAMES)("rotate %s says where the new secret is, from when it is used, and what to do", async (name) => {
  const before = Date.now();
  await rotateSecret(configOf(), name, HOUR_MS, stdout);
  const file = join(dataDir, "secrets", name === "hmac" ? "hmac" : "signing-jwks.json");
  const [, path, time = ""] = /^(.*) has a new secret, which is used from (\S+)\.\n/.exec(out) ?? [];
  expect(path).toBe(file);
  expect(Date.parse(time) - HOUR_MS - before).toBeGreaterThanOrEqual(0);
  expect(Date.parse(time) - HOUR_MS - before).toBeLessThan(SLACK_MS);
  expect(out).toMatch(/\nSend SIGHUP to every service on this data directory before that\.\n$/);
  const secrets = [readFileSync(join(dataDir, "secrets", "hmac"), "utf8").trim()];
  for (const { text } of await readRetiredHmac(join(dataDir, "secrets"))) secrets.push(text);
  for (const secret of secrets) expect(out).not.toContain(secret);
});

// A day, and ten minutes. (The time of a signing key is in whole seconds.)
test.each(NAMES)("forget %s keeps what something good may be made with, and says how long", async (name) => {
  await retire(name, 24 * HOUR_MS);
  await forgetSecrets(configOf(), name, false, stdout);
  const [, used = "", after = ""] =
    /^forgotten: 0\nkept: one that is used until (\S+); forget it after (\S+)\n$/.exec(out) ?? [];
  expect(Date.parse(after) - Date.parse(used)).toBe(24 * HOUR_MS + 600_000);
});

test.each(NAMES)("forget %s takes away what nothing good is made with any more", async (name) => {
  await retire(name, 24 * HOUR_MS + 602_000);
  await forgetSecrets(configOf(), name, false, stdout);
  expect(out).toBe("forgotten: 1\nSend SIGHUP to every service on this data directory.\n");
});

test.each(NAMES)("forget %s keeps longer what longer tokens are made with", async (name) => {
  await retire(name, 24 * HOUR_MS + 602_000);
  await forgetSecrets(configOf({ LATCHKEY_TOKENS_MAX_TTL: "48h" }), name, false, stdout);
  expect(out).toMatch(/^forgotten: 0\nkept: /);
});

test.each([
  ["hmac", 1],
  ["signing-key", 0],
] as const)("where tokens are shorter, forget %s keeps page tokens in mind", async (name, kept) => {
  await retire(name, 12 * HOUR_MS);
  await forgetSecrets(configOf({ LATCHKEY_TOKENS_MAX_TTL: "1h" }), name, false, stdout);
  expect(out).toContain(`forgotten: ${1 - kept}\n`);
});

test.each(NAMES)("forget --all %s takes away what is used still", async (name) => {
  await retire(name, -HOUR_MS);
  await forgetSecrets(configOf(), name, true, stdout);
  expect(out).toContain("forgotten: 1\n");
});

test.each([
  ["hmac", { LATCHKEY_SECRETS_HMAC_CURRENT: SECRET }, "secrets.hmac.current"],
  ["signing-key", { LATCHKEY_TOKENS_SIGNING_JWKS_URLS: "file:///keys.json" }, "tokens.signing_jwks_urls"],
] as const)("%s is not changed where the setting is used instead", async (name, env, setting) => {
  const message = `${setting} is configured, so the generated secret is not in use: change the setting`;
  const failure = expect.objectContaining({ name: "CommandFailure", message });
  await expect(rotateSecret(configOf(env), name, 0, stdout)).rejects.toThrow(failure);
  await expect(forgetSecrets(configOf(env), name, true, stdout)).rejects.toThrow(failure);
  expect(out).toBe("");
});

test("a signing key is neither made nor forgotten where a setting names the one that signs", async () => {
  const file = join(dataDir, "secrets", "signing-jwks.json");
  await retire("signing-key", HOUR_MS);
  const before = readFileSync(file, "utf8");
  const config = configOf({ LATCHKEY_TOKENS_SIGNING_KEY_ID: JSON.parse(before).keys[0].kid });
  const message =
    "tokens.signing_key_id names the key to sign with, so a new one would not be used, and the one that signs could be " +
    "forgotten: take the setting away, restart every service on this data directory, and try again";
  const failure = expect.objectContaining({ name: "CommandFailure", message });
  await expect(rotateSecret(config, "signing-key", 0, stdout)).rejects.toThrow(failure);
  for (const all of [true, false]) {
    await expect(forgetSecrets(config, "signing-key", all, stdout)).rejects.toThrow(failure);
  }
  expect(readFileSync(file, "utf8")).toBe(before);
  expect(out).toBe("");
  await rotateSecret(config, "hmac", 0, stdout);
});
