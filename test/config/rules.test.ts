import { describe, expect, test } from "@jest/globals";
import { loadConfig } from "../../src/config/load-config.js";
import { formatMistake } from "../../src/config/mistake.js";

const SECRET = "0123456789abcdef0123456789abcdef";
const TOKENS = JSON.stringify([{ name: "ops", token: "an-admin-token-of-some-length", role: "admin" }]);
const SECRETS = { LATCHKEY_SECRETS_HMAC_CURRENT: SECRET, LATCHKEY_SECRETS_PEPPER: SECRET };

function mistakesOf(env: NodeJS.ProcessEnv): string[] {
  return (loadConfig({ env }).mistakes ?? []).map(formatMistake);
}

describe("beyond loopback", () => {
  const host = { LATCHKEY_SERVER_HOST: "0.0.0.0" };
  const because = "because other machines can reach server.host 0.0.0.0";

  test("secrets and authentication must be explicit", () => {
    expect(mistakesOf(host)).toEqual([
      `secrets.hmac.current: is needed ${because}: set LATCHKEY_SECRETS_HMAC_CURRENT or ` +
        "LATCHKEY_SECRETS_HMAC_CURRENT_FILE to at least 32 random characters (openssl rand -hex 32)",
      `secrets.pepper: is needed ${because}: set LATCHKEY_SECRETS_PEPPER or ` +
        "LATCHKEY_SECRETS_PEPPER_FILE to at least 32 random characters (openssl rand -hex 32)",
      `admin.tokens: is needed ${because}: set LATCHKEY_ADMIN_TOKENS to a JSON list such as ` +
        '[{"name":"ops","token":"<openssl rand -hex 32>","role":"admin"}]',
    ]);
  });

  test("a given but wrong secret is one mistake, not two", () => {
    const env = { ...host, ...SECRETS, LATCHKEY_SECRETS_PEPPER: "short", LATCHKEY_ADMIN_TOKENS: TOKENS };
    expect(mistakesOf(env)).toEqual(["secrets.pepper (LATCHKEY_SECRETS_PEPPER): must be at least 32 characters"]);
  });

  test("no authentication needs a confirmation", () => {
    const env = { ...host, ...SECRETS, LATCHKEY_ADMIN_AUTH: "none" };
    expect(mistakesOf(env)).toEqual([
      `admin.auth (LATCHKEY_ADMIN_AUTH): must not be none ${because}: set it to token, or ` +
        "LATCHKEY_ADMIN_ALLOW_UNAUTHENTICATED=true if something in front of the service authenticates",
    ]);
    expect(mistakesOf({ ...env, LATCHKEY_ADMIN_ALLOW_UNAUTHENTICATED: "true" })).toEqual([]);
  });

  test("the confirmation alone does not replace tokens", () => {
    const env = { ...host, ...SECRETS, LATCHKEY_ADMIN_ALLOW_UNAUTHENTICATED: "true" };
    expect(mistakesOf(env)).toHaveLength(1);
    expect(mistakesOf({ ...env, LATCHKEY_ADMIN_TOKENS: TOKENS })).toEqual([]);
  });

  test("on loopback nothing of that is asked", () => {
    expect(mistakesOf({ LATCHKEY_ADMIN_AUTH: "none" })).toEqual([]);
    expect(mistakesOf({ LATCHKEY_SERVER_HOST: "localhost", LATCHKEY_ADMIN_AUTH: "none" })).toEqual([]);
  });
});

test("a client CA needs the certificate and its key", () => {
  expect(mistakesOf({ LATCHKEY_SERVER_TLS_CLIENT_CA_FILE: "ca.pem" })).toEqual([
    "server.tls.cert_file: is needed for TLS: set LATCHKEY_SERVER_TLS_CERT_FILE",
    "server.tls.key_file: is needed for TLS: set LATCHKEY_SERVER_TLS_KEY_FILE",
  ]);
});

test("tokens differ in name and value", () => {
  const token = "an-admin-token-of-some-length";
  const tokens = [
    { name: "a", token, role: "admin" },
    { name: "b", token, role: "reader" },
    { name: "a", token: `${token}2`, role: "reader" },
  ];
  expect(mistakesOf({ LATCHKEY_ADMIN_TOKENS: JSON.stringify(tokens) })).toEqual([
    "admin.tokens (LATCHKEY_ADMIN_TOKENS): has two tokens with the name a",
    "admin.tokens (LATCHKEY_ADMIN_TOKENS): has one token under two names: a, b",
  ]);
});

test("a retired secret is not the current one", () => {
  expect(mistakesOf({ ...SECRETS, LATCHKEY_SECRETS_HMAC_RETIRED: SECRET })).toEqual([
    "secrets.hmac.retired (LATCHKEY_SECRETS_HMAC_RETIRED): must not hold the value of secrets.hmac.current",
  ]);
});

describe("prefixes", () => {
  test.each([
    [
      { LATCHKEY_KEYS_PUBLIC_PREFIX: "lk" },
      ["keys.public_prefix (LATCHKEY_KEYS_PUBLIC_PREFIX): must differ from keys.prefix: both are lk"],
    ],
    [
      { LATCHKEY_KEYS_RETIRED_PREFIXES: "x,x" },
      ["keys.retired_prefixes (LATCHKEY_KEYS_RETIRED_PREFIXES): must differ from keys.retired_prefixes: both are x"],
    ],
    [
      { LATCHKEY_KEYS_PUBLIC_PREFIX: "lk_v1" },
      [
        "keys.public_prefix (LATCHKEY_KEYS_PUBLIC_PREFIX): lk_v1 and lk of keys.prefix are ambiguous: credentials of both start with lk_v1_",
      ],
    ],
    [
      { LATCHKEY_KEYS_PREFIX: "a_v1_b", LATCHKEY_KEYS_RETIRED_PREFIXES: "a" },
      [
        "keys.retired_prefixes (LATCHKEY_KEYS_RETIRED_PREFIXES): a and a_v1_b of keys.prefix are ambiguous: credentials of both start with a_v1_",
      ],
    ],
    [
      { LATCHKEY_TOKENS_MACAROON_PREFIX: "lk" },
      ["tokens.macaroon_prefix (LATCHKEY_TOKENS_MACAROON_PREFIX): must differ from keys.prefix: both are lk"],
    ],
    [{ LATCHKEY_KEYS_PREFIX: "mc" }, ["tokens.macaroon_prefix: must differ from keys.prefix: both are mc"]],
    [
      { LATCHKEY_KEYS_PUBLIC_PREFIX: "pub", LATCHKEY_TOKENS_MACAROON_PREFIX: "pub" },
      ["tokens.macaroon_prefix (LATCHKEY_TOKENS_MACAROON_PREFIX): must differ from keys.public_prefix: both are pub"],
    ],
    [
      { LATCHKEY_KEYS_RETIRED_PREFIXES: "old,older", LATCHKEY_TOKENS_MACAROON_PREFIX: "older" },
      [
        "tokens.macaroon_prefix (LATCHKEY_TOKENS_MACAROON_PREFIX): must differ from keys.retired_prefixes: both are older",
      ],
    ],
    [
      { LATCHKEY_TOKENS_MACAROON_PREFIX: "lk_v1_x" },
      [
        "tokens.macaroon_prefix (LATCHKEY_TOKENS_MACAROON_PREFIX): lk_v1_x and lk of keys.prefix are ambiguous: credentials of both start with lk_v1_",
      ],
    ],
    [{ LATCHKEY_KEYS_PUBLIC_PREFIX: "lk_pub", LATCHKEY_KEYS_RETIRED_PREFIXES: "lk_,l,lk_v2,lk_v1x,lkv1" }, []],
  ])("%j", (env: NodeJS.ProcessEnv, expected: string[]) => {
    expect(mistakesOf(env)).toEqual(expected);
  });
});

test("the default lifetime is within the longest", () => {
  expect(mistakesOf({ LATCHKEY_KEYS_DEFAULT_TTL: "2h", LATCHKEY_KEYS_MAX_TTL: "1h" })).toEqual([
    "keys.default_ttl (LATCHKEY_KEYS_DEFAULT_TTL): must not be longer than keys.max_ttl",
  ]);
  expect(mistakesOf({ LATCHKEY_KEYS_DEFAULT_TTL: "1h", LATCHKEY_KEYS_MAX_TTL: "60m" })).toEqual([]);
});

test("the default lifetime of tokens is within the longest", () => {
  expect(mistakesOf({ LATCHKEY_TOKENS_DEFAULT_TTL: "25h" })).toEqual([
    "tokens.default_ttl (LATCHKEY_TOKENS_DEFAULT_TTL): must not be longer than tokens.max_ttl",
  ]);
  expect(mistakesOf({ LATCHKEY_TOKENS_MAX_TTL: "14m" })).toEqual([
    "tokens.default_ttl: must not be longer than tokens.max_ttl",
  ]);
  expect(mistakesOf({ LATCHKEY_TOKENS_MAX_TTL: "15m" })).toEqual([]);
});

describe("a header that tells the client's address", () => {
  test.each(["x_forwarded_for", "x_real_ip", "cf_connecting_ip", "true_client_ip"])("%s needs proxies", (source) => {
    const env = { LATCHKEY_CLIENT_IP_SOURCE: source };
    const message =
      `is needed because client_ip.source is ${source}, a header that anybody can send: set ` +
      "LATCHKEY_CLIENT_IP_TRUSTED_PROXIES to the addresses of your proxies, such as 10.0.0.0/8";
    expect(mistakesOf(env)).toEqual([`client_ip.trusted_proxies: ${message}`]);
    expect(mistakesOf({ ...env, LATCHKEY_CLIENT_IP_TRUSTED_PROXIES: "" })).toEqual([
      `client_ip.trusted_proxies (LATCHKEY_CLIENT_IP_TRUSTED_PROXIES): ${message}`,
    ]);
    expect(mistakesOf({ ...env, LATCHKEY_CLIENT_IP_TRUSTED_PROXIES: "10.0.0.1" })).toEqual([]);
  });

  test("a wrong proxy is one mistake, not two", () => {
    expect(
      mistakesOf({ LATCHKEY_CLIENT_IP_SOURCE: "x_real_ip", LATCHKEY_CLIENT_IP_TRUSTED_PROXIES: "proxy" }),
    ).toHaveLength(1);
  });

  test("the connection needs none", () => {
    expect(mistakesOf({ LATCHKEY_CLIENT_IP_SOURCE: "remote_addr" })).toEqual([]);
  });
});
