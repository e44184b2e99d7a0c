import { expect, test } from "@jest/globals";
import { settingsThatTakeARestart } from "../../src/config/changed-settings.js";
import { loadConfig } from "../../src/config/load-config.js";

const [ONE, OTHER] = ["one-secret-of-32-characters-or-more!", "another-secret-of-32-characters-or-more!"];

function valuesOf(env: Readonly<Record<string, string>>) {
  const { values } = loadConfig({ env });
  if (values === undefined) throw new Error("the configuration is wrong");
  return values;
}

const ALL = {
  LATCHKEY_SERVER_PORT: "1",
  LATCHKEY_KEYS_RETIRED_PREFIXES: "a,b",
  LATCHKEY_SECRETS_PEPPER: ONE,
  LATCHKEY_SECRETS_HMAC_CURRENT: ONE,
  LATCHKEY_SECRETS_HMAC_RETIRED: OTHER,
  LATCHKEY_TOKENS_SIGNING_JWKS_URLS: "file:///a.json,file:///b.json",
  LATCHKEY_ADMIN_TOKENS: '[{"name":"ops","token":"0123456789abcdef","role":"admin"}]',
};

test("nothing changed", () => {
  expect(settingsThatTakeARestart(valuesOf(ALL), valuesOf({ ...ALL }))).toEqual([]);
  expect(settingsThatTakeARestart(valuesOf({}), valuesOf({}))).toEqual([]);
});

test.each([
  ["LATCHKEY_SERVER_PORT", "2", ["server.port"]],
  ["LATCHKEY_KEYS_RETIRED_PREFIXES", "a", ["keys.retired_prefixes"]],
  ["LATCHKEY_KEYS_RETIRED_PREFIXES", "a,c", ["keys.retired_prefixes"]],
  ["LATCHKEY_SECRETS_PEPPER", OTHER, ["secrets.pepper"]],
  ["LATCHKEY_TOKENS_SIGNING_JWKS_URLS", "file:///a.json,file:///c.json", ["tokens.signing_jwks_urls"]],
  ["LATCHKEY_SECRETS_HMAC_CURRENT", "a-third-secret-of-32-characters-or-more!", []],
  ["LATCHKEY_SECRETS_HMAC_RETIRED", "", []],
  ["LATCHKEY_ADMIN_TOKENS", '[{"name":"ops","token":"0123456789abcdeF","role":"admin"}]', []],
])("%s changed to %j", (name, value, expected) => {
  expect(settingsThatTakeARestart(valuesOf(ALL), valuesOf({ ...ALL, [name]: value }))).toEqual(expected);
  const { [name as keyof typeof ALL]: _, ...without } = ALL;
  expect(settingsThatTakeARestart(valuesOf(ALL), valuesOf(without))).toEqual(expected);
});
