import { isLoopback } from "./loopback.js";
import { environmentName } from "./setting-shape.js";
import type { SettingPath, SettingValues } from "./settings.js";

/** What the rules look at. A setting whose own value is a mistake is not among `values`, but it is given. */
export interface RuleInput {
  readonly values: Partial<SettingValues>;
  /** Whether the setting was written anywhere, rightly or not. */
  given(path: SettingPath): boolean;
}

export interface RuleMistake {
  readonly path: SettingPath;
  readonly message: string;
}

type Rule = (input: RuleInput) => RuleMistake[];

/** Everything that is wrong between settings that are each right by themselves. */
export function checkRules(input: RuleInput): RuleMistake[] {
  return rules.flatMap((rule) => rule(input));
}

const rules: readonly Rule[] = [
  tlsPair,
  secretsBeyondLoopback,
  authenticationBeyondLoopback,
  differentTokens,
  differentSecrets,
  unambiguousPrefixes,
  defaultsWithinMaximum,
  trustedProxies,
];

function tlsPair({ given }: RuleInput): RuleMistake[] {
  const cert = given("server.tls.cert_file");
  const key = given("server.tls.key_file");
  const on = cert || key || given("server.tls.client_ca_file");
  const needs = (path: SettingPath) => ({ path, message: `is needed for TLS: set ${environmentName(path)}` });
  if (!on) return [];
  return [...(cert ? [] : [needs("server.tls.cert_file")]), ...(key ? [] : [needs("server.tls.key_file")])];
}

function secretsBeyondLoopback({ values, given }: RuleInput): RuleMistake[] {
  const host = values["server.host"];
  if (host === undefined || isLoopback(host)) return [];
  const paths: SettingPath[] = ["secrets.hmac.current", "secrets.pepper"];
  return paths
    .filter((path) => !given(path))
    .map((path) => ({
      path,
      message:
        `is needed because other machines can reach server.host ${host}: set ${environmentName(path)} or ` +
        `${environmentName(path)}_FILE to at least 32 random characters (openssl rand -hex 32)`,
    }));
}

function authenticationBeyondLoopback({ values, given }: RuleInput): RuleMistake[] {
  const host = values["server.host"];
  if (host === undefined || isLoopback(host)) return [];
  const because = `because other machines can reach server.host ${host}`;
  if (values["admin.auth"] === "token" && !given("admin.tokens")) {
    const example = '[{"name":"ops","token":"<openssl rand -hex 32>","role":"admin"}]';
    const message = `is needed ${because}: set ${environmentName("admin.tokens")} to a JSON list such as ${example}`;
    return [{ path: "admin.tokens", message }];
  }
  if (values["admin.auth"] === "none" && values["admin.allow_unauthenticated"] === false) {
    const message =
      `must not be none ${because}: set it to token, or ${environmentName("admin.allow_unauthenticated")}=true if ` +
      "something in front of the service authenticates";
    return [{ path: "admin.auth", message }];
  }
  return [];
}

function differentTokens({ values }: RuleInput): RuleMistake[] {
  const tokens = values["admin.tokens"] ?? [];
  const hashes = tokens.map(({ sha256 }) => sha256.toString("hex"));
  return [
    ...repeated(tokens.map(({ name }) => name)).map((name) => `has two tokens with the name ${name}`),
    ...repeated(hashes).map((hash) => `has one token under two names: ${names(hash)}`),
  ].map((message) => ({ path: "admin.tokens", message }));

  function names(hash: string): string {
    return tokens.flatMap(({ name }, index) => (hashes[index] === hash ? [name] : [])).join(", ");
  }
}

function differentSecrets({ values }: RuleInput): RuleMistake[] {
  const current = values["secrets.hmac.current"];
  const retired = values["secrets.hmac.retired"] ?? [];
  if (current === undefined || !retired.some((secret) => secret.equals(current))) return [];
  return [{ path: "secrets.hmac.retired", message: "must not hold the value of secrets.hmac.current" }];
}

/** A key, or a macaroon, is `<prefix>_v1_<body>`: no such beginning may be the beginning of another one. */
function unambiguousPrefixes({ values }: RuleInput): RuleMistake[] {
  const prefixes: [SettingPath, string][] = [];
  const { "keys.prefix": prefix, "keys.public_prefix": publicPrefix, "keys.retired_prefixes": retired = [] } = values;
  if (prefix !== undefined) prefixes.push(["keys.prefix", prefix]);
  if (publicPrefix !== undefined) prefixes.push(["keys.public_prefix", publicPrefix]);
  for (const text of retired) prefixes.push(["keys.retired_prefixes", text]);
  const macaroonPrefix = values["tokens.macaroon_prefix"];
  if (macaroonPrefix !== undefined) prefixes.push(["tokens.macaroon_prefix", macaroonPrefix]);
  return prefixes.flatMap(([path, text], index) =>
    prefixes.slice(0, index).flatMap(([earlierPath, earlier]) => {
      if (text === earlier) return [{ path, message: `must differ from ${earlierPath}: both are ${text}` }];
      const [shorter, longer] = text.length < earlier.length ? [text, earlier] : [earlier, text];
      if (!`${longer}_v1_`.startsWith(`${shorter}_v1_`)) return [];
      return [
        {
          path,
          message: `${text} and ${earlier} of ${earlierPath} are ambiguous: credentials of both start with ${shorter}_v1_`,
        },
      ];
    }),
  );
}

function defaultsWithinMaximum({ values }: RuleInput): RuleMistake[] {
  return (["keys", "tokens"] as const).flatMap((group) => {
    const { [`${group}.default_ttl` as const]: defaultMs, [`${group}.max_ttl` as const]: maxMs } = values;
    if (defaultMs === undefined || maxMs === undefined || defaultMs <= maxMs) return [];
    return [{ path: `${group}.default_ttl` as const, message: `must not be longer than ${group}.max_ttl` }];
  });
}

/** Anybody can send a header: it says something only when it is known who sent it. */
function trustedProxies({ values }: RuleInput): RuleMistake[] {
  const { "client_ip.source": source, "client_ip.trusted_proxies": proxies } = values;
  if (source === undefined || source === "remote_addr" || proxies === undefined || proxies.length > 0) return [];
  const path = "client_ip.trusted_proxies";
  const message =
    `is needed because client_ip.source is ${source}, a header that anybody can send: set ${environmentName(path)} to ` +
    "the addresses of your proxies, such as 10.0.0.0/8";
  return [{ path, message }];
}

function repeated(values: readonly string[]): string[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))];
}
