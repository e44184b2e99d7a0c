import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, describe, expect, test } from "@jest/globals";
import { loadConfig } from "../../src/config/load-config.js";
import { formatMistake } from "../../src/config/mistake.js";
import { MIN_OVERLAP_MS } from "../../src/store/mongo/polling-feed.js";

const directory = mkdtempSync(join(tmpdir(), "latchkey-config-"));
afterAll(() => rmSync(directory, { recursive: true }));

const SECRET = "0123456789abcdef0123456789abcdef";
const OTHER_SECRET = "fedcba9876543210fedcba9876543210";
const TOKEN = "an-admin-token-of-some-length";
const TOKEN_SHA256 = "aa0db17e87b0bbd6f3b8bff3c6bd0e0ae9a35f6dd95c6ee6efb0ad2d4a2b8ed1";

let files = 0;
function write(content: string): string {
  files += 1;
  const file = join(directory, `${files}.yaml`);
  writeFileSync(file, content);
  return file;
}

function configOf(env: NodeJS.ProcessEnv, yaml?: string) {
  const { config, mistakes } = loadConfig({ env, file: yaml === undefined ? undefined : write(yaml) });
  if (config === undefined) throw new Error(mistakes.map(formatMistake).join("\n"));
  return config;
}

/** The mistakes as a user sees them, the file's name put as FILE. */
function mistakesOf(env: NodeJS.ProcessEnv, yaml?: string): string[] {
  const file = yaml === undefined ? undefined : write(yaml);
  const { mistakes = [] } = loadConfig({ env, file });
  return mistakes.map((mistake) => formatMistake(mistake).replaceAll(file ?? "\0", "FILE"));
}

describe("a configuration", () => {
  test("needs nothing", () => {
    const { values: _, ...loaded } = loadConfig({ env: { PATH: "/bin" } });
    expect(loaded).toEqual({
      warnings: [],
      config: {
        server: {
          host: "127.0.0.1",
          port: 4420,
          tls: undefined,
          maxConnections: 10_000,
          firstByteTimeoutMs: 10_000,
          requestTimeoutMs: 30_000,
          drainTimeoutMs: 10_000,
          grpcUnaryLane: true,
        },
        dataDir: "./data",
        admin: { auth: "token", tokens: undefined },
        store: { mongodb: undefined },
        cache: {
          ttlMs: 60_000,
          maxBytes: 67_108_864,
          pollIntervalMs: 50,
          pollOverlapMs: 5_000,
          maxStalenessMs: 5_000,
        },
        secrets: { hmac: { current: undefined, retired: [] }, pepper: undefined },
        keys: {
          prefix: "lk",
          publicPrefix: undefined,
          retiredPrefixes: [],
          defaultTtlMs: undefined,
          maxTtlMs: 315_360_000_000,
        },
        tokens: {
          issuer: "latchkey",
          audience: undefined,
          macaroonPrefix: "mc",
          defaultTtlMs: 900_000,
          maxTtlMs: 86_400_000,
          checkParent: true,
          signingJwksUrls: undefined,
          signingKeyId: undefined,
        },
        clientIp: { source: "remote_addr", trustedProxies: [] },
        log: { level: "info" },
      },
    });
  });

  test("is read from YAML, every setting", () => {
    const config = configOf(
      {},
      `
server:
  host: 0.0.0.0
  port: 0
  tls: { cert_file: c.pem, key_file: k.pem, client_ca_file: ca.pem }
  max_connections: 5
  first_byte_timeout: 1s
  request_timeout: 1m30s
  drain_timeout: 500ms
  grpc_unary_lane: false
data_dir: /var/lib/latchkey
admin:
  auth: token
  tokens:
    - { name: ops, token: ${TOKEN}, role: admin }
    - { name: mesh, token_sha256: ${TOKEN_SHA256}, role: verifier }
store:
  mongodb: { uri: "mongodb://user:pw@db/latchkey", timeout: 3s }
cache: { ttl: 1m30s, max_bytes: 1 GiB, poll_interval: 20ms, poll_overlap: 10s, max_staleness: 2s }
secrets:
  hmac: { current: ${SECRET}, retired: [${OTHER_SECRET}] }
  pepper: "${SECRET}"
keys:
  prefix: acme
  public_prefix: acme_pub
  retired_prefixes: [old, older]
  default_ttl: 30d
  max_ttl: 365d
tokens:
  issuer: https://keys.example.com
  audience: mesh
  macaroon_prefix: acme_mc
  default_ttl: 5m
  max_ttl: 1h
  check_parent: false
  signing_jwks_urls: ["file:///etc/keys.json", "https://keys.example.com/a,b?token=c"]
  signing_key_id: "2026"
client_ip: { source: x_forwarded_for, trusted_proxies: [10.0.0.0/8, "::1"] }
log: { level: debug }
`,
    );
    expect(config.server).toEqual({
      host: "0.0.0.0",
      port: 0,
      tls: { certFile: "c.pem", keyFile: "k.pem", clientCaFile: "ca.pem" },
      maxConnections: 5,
      firstByteTimeoutMs: 1_000,
      requestTimeoutMs: 90_000,
      drainTimeoutMs: 500,
      grpcUnaryLane: false,
    });
    expect(config.dataDir).toBe("/var/lib/latchkey");
    expect(config.admin.tokens?.map(({ name, role }) => `${name} ${role}`)).toEqual(["ops admin", "mesh verifier"]);
    expect(Buffer.from(config.admin.tokens?.[1]?.sha256 ?? []).toString("hex")).toBe(TOKEN_SHA256);
    expect(config.store.mongodb).toEqual({
      uri: "mongodb://user:pw@db/latchkey",
      timeoutMs: 3_000,
      autoMigrate: true,
    });
    expect(config.cache).toEqual({
      ttlMs: 90_000,
      maxBytes: 1_073_741_824,
      pollIntervalMs: 20,
      pollOverlapMs: 10_000,
      maxStalenessMs: 2_000,
    });
    expect(config.secrets.hmac.current?.export().toString()).toBe(SECRET);
    expect(config.secrets.hmac.retired.map((secret) => secret.export().toString())).toEqual([OTHER_SECRET]);
    expect(config.secrets.pepper?.export().toString()).toBe(SECRET);
    expect(config.keys).toEqual({
      prefix: "acme",
      publicPrefix: "acme_pub",
      retiredPrefixes: ["old", "older"],
      defaultTtlMs: 2_592_000_000,
      maxTtlMs: 31_536_000_000,
    });
    expect(config.tokens).toMatchObject({
      issuer: "https://keys.example.com",
      audience: "mesh",
      macaroonPrefix: "acme_mc",
      defaultTtlMs: 300_000,
      maxTtlMs: 3_600_000,
      checkParent: false,
      signingKeyId: "2026",
    });
    expect(config.tokens.signingJwksUrls?.map((url) => url.reveal())).toEqual([
      "file:///etc/keys.json",
      "https://keys.example.com/a,b?token=c",
    ]);
    expect(config.clientIp).toEqual({ source: "x_forwarded_for", trustedProxies: ["10.0.0.0/8", "::1"] });
    expect(config.log.level).toBe("debug");
  });

  test("is read from the environment, which wins over YAML", () => {
    const config = configOf(
      {
        LATCHKEY_SERVER_PORT: "5000",
        LATCHKEY_KEYS_RETIRED_PREFIXES: "a, b,c",
        LATCHKEY_ADMIN_TOKENS: JSON.stringify([{ name: "ops", token: TOKEN, role: "reader" }]),
        LATCHKEY_ADMIN_ALLOW_UNAUTHENTICATED: "true",
        LATCHKEY_TOKENS_SIGNING_JWKS_URLS: "base64://e30=, file:///a",
        LATCHKEY_TOKENS_CHECK_PARENT: "false",
        LATCHKEY_CLIENT_IP_SOURCE: "x_real_ip",
        LATCHKEY_CLIENT_IP_TRUSTED_PROXIES: "10.0.0.1, fd00::/8",
      },
      "server: { port: 1, host: '::1' }\nkeys:\n",
    );
    expect(config.server).toMatchObject({ host: "::1", port: 5000 });
    expect(config.keys.retiredPrefixes).toEqual(["a", "b", "c"]);
    expect(config.admin.tokens).toMatchObject([{ name: "ops", role: "reader" }]);
    expect(config.tokens.signingJwksUrls?.map((url) => url.reveal())).toEqual(["base64://e30=", "file:///a"]);
    expect(config.tokens.checkParent).toBe(false);
    expect(config.clientIp).toEqual({ source: "x_real_ip", trustedProxies: ["10.0.0.1", "fd00::/8"] });
    expect(
      configOf({ LATCHKEY_KEYS_RETIRED_PREFIXES: "" }, "keys: { retired_prefixes: [x] }").keys.retiredPrefixes,
    ).toEqual([]);
  });

  test("takes a value from a file, without its last newline", () => {
    const secretFile = join(directory, "pepper");
    writeFileSync(secretFile, `${SECRET}\n`);
    const config = configOf({ LATCHKEY_SECRETS_PEPPER_FILE: secretFile });
    expect(config.secrets.pepper?.export().toString()).toBe(SECRET);
    writeFileSync(secretFile, `${SECRET} \r\n`);
    expect(configOf({ LATCHKEY_SECRETS_PEPPER_FILE: secretFile }).secrets.pepper?.export().toString()).toBe(
      `${SECRET} `,
    );
  });

  test("has no cache when nothing may be remembered", () => {
    expect(configOf({ LATCHKEY_CACHE_TTL: "0s" }).cache).toBeUndefined();
  });

  test("looks back for changes as far as the feed needs at least", () => {
    const shortest = `${MIN_OVERLAP_MS}ms`;
    expect(configOf({ LATCHKEY_CACHE_POLL_OVERLAP: shortest }).cache?.pollOverlapMs).toBe(MIN_OVERLAP_MS);
    expect(mistakesOf({ LATCHKEY_CACHE_POLL_OVERLAP: `${MIN_OVERLAP_MS - 1}ms` })).toEqual([
      "cache.poll_overlap (LATCHKEY_CACHE_POLL_OVERLAP): must be from 5s to 1m",
    ]);
  });

  test("may be an empty file", () => {
    expect(configOf({}, "").server.port).toBe(4420);
    expect(configOf({}, "# nothing\n").server.port).toBe(4420);
  });

  test("does not show its secrets when it is printed", () => {
    const config = configOf({
      LATCHKEY_SECRETS_PEPPER: SECRET,
      LATCHKEY_SECRETS_HMAC_CURRENT: OTHER_SECRET,
      LATCHKEY_ADMIN_TOKENS: JSON.stringify([{ name: "ops", token: TOKEN, role: "admin" }]),
      LATCHKEY_TOKENS_SIGNING_JWKS_URLS: "base64://aHVudGVyMg==,https://keys.example.com/?token=hunter2",
    });
    const printed =
      JSON.stringify(config) + inspect(config, { depth: 10, showHidden: true }) + String(config.secrets.pepper);
    for (const secret of [SECRET, OTHER_SECRET, TOKEN, "aHVudGVyMg", "hunter2", "keys.example.com"])
      expect(printed).not.toContain(secret);
  });
});

describe("unknown names", () => {
  test("a variable is a warning, unless it is somebody else's", () => {
    const env = {
      LATCHKEY_SERVER_PROT: "1",
      LATCHKEY_ENDPOINT: "x",
      LATCHKEY_TOKEN: "x",
      LATCHKEY_TEST_MONGODB_URI: "x",
    };
    const { config, warnings } = loadConfig({ env });
    expect(config).toBeDefined();
    expect(warnings).toEqual(["LATCHKEY_SERVER_PROT names no setting and is ignored"]);
  });

  test("a YAML key is a mistake", () => {
    expect(mistakesOf({}, "server:\n  prot: 1\nservre:\n  port: 1\ncaches: { ttl: 1s }\n1: 2\n")).toEqual([
      "server.prot (FILE:2): is no setting",
      "servre (FILE:3): is no setting",
      "caches (FILE:5): is no setting",
      "1 (FILE:6): is no setting",
    ]);
  });
});

describe("mistakes", () => {
  test("are told all at once, with their places", () => {
    const env = { LATCHKEY_LOG_LEVEL: "loud", LATCHKEY_SERVER_TLS_CERT_FILE: "c.pem" };
    expect(mistakesOf(env, "server:\n  port: 70000\n  max_connections: '5'\nkeys:\n  prefix: a-b\n  max: 1\n")).toEqual(
      [
        "keys.max (FILE:6): is no setting",
        "server.port (FILE:2): must be a whole number from 0 to 65535",
        "server.max_connections (FILE:3): must be a whole number from 1 to 1000000",
        "keys.prefix (FILE:5): must be 1 to 16 characters of A-Z, a-z, 0-9 and '_'",
        "log.level (LATCHKEY_LOG_LEVEL): must be one of trace, debug, info, warn, error, fatal, silent",
        "server.tls.key_file: is needed for TLS: set LATCHKEY_SERVER_TLS_KEY_FILE",
      ],
    );
  });

  test.each<[NodeJS.ProcessEnv, string]>([
    [
      { LATCHKEY_SERVER_HOST: "127.0.0.1 " },
      "server.host (LATCHKEY_SERVER_HOST): must be an IP address or a host name",
    ],
    [{ LATCHKEY_SERVER_PORT: "-1" }, "server.port (LATCHKEY_SERVER_PORT): must be a whole number from 0 to 65535"],
    [{ LATCHKEY_SERVER_PORT: "44.5" }, "server.port (LATCHKEY_SERVER_PORT): must be a whole number from 0 to 65535"],
    [{ LATCHKEY_SERVER_PORT: "" }, "server.port (LATCHKEY_SERVER_PORT): is empty; give a value or unset it"],
    [
      { LATCHKEY_SERVER_DRAIN_TIMEOUT: "-1s" },
      "server.drain_timeout (LATCHKEY_SERVER_DRAIN_TIMEOUT): must be a duration such as 500ms, 2s, 1h30m or 30d",
    ],
    [
      { LATCHKEY_CACHE_MAX_BYTES: "64MB" },
      "cache.max_bytes (LATCHKEY_CACHE_MAX_BYTES): must be a size such as 512KiB, 64MiB or 1GiB",
    ],
    [{ LATCHKEY_CACHE_MAX_BYTES: "1023KiB" }, "cache.max_bytes (LATCHKEY_CACHE_MAX_BYTES): must be from 1MiB to 64GiB"],
    [
      { LATCHKEY_SERVER_REQUEST_TIMEOUT: "0s" },
      "server.request_timeout (LATCHKEY_SERVER_REQUEST_TIMEOUT): must be from 1ms to 1h",
    ],
    [{ LATCHKEY_KEYS_MAX_TTL: "315360001s" }, "keys.max_ttl (LATCHKEY_KEYS_MAX_TTL): must be from 1s to 315360000s"],
    [{ LATCHKEY_ADMIN_AUTH: "None" }, "admin.auth (LATCHKEY_ADMIN_AUTH): must be one of token, none"],
    [
      { LATCHKEY_ADMIN_ALLOW_UNAUTHENTICATED: "yes" },
      "admin.allow_unauthenticated (LATCHKEY_ADMIN_ALLOW_UNAUTHENTICATED): must be true or false",
    ],
    [
      { LATCHKEY_STORE_MONGODB_URI: "http://u:hunter2@db" },
      "store.mongodb.uri (LATCHKEY_STORE_MONGODB_URI): must be a URI that starts with mongodb:// or mongodb+srv://",
    ],
    [
      { LATCHKEY_SECRETS_PEPPER: "hunter2" },
      "secrets.pepper (LATCHKEY_SECRETS_PEPPER): must be at least 32 characters",
    ],
    [
      { LATCHKEY_SECRETS_PEPPER: "ab".repeat(20) },
      "secrets.pepper (LATCHKEY_SECRETS_PEPPER): must be random: it has fewer than 8 different characters",
    ],
    [
      { LATCHKEY_SECRETS_HMAC_RETIRED: `${SECRET},hunter2` },
      "secrets.hmac.retired[1] (LATCHKEY_SECRETS_HMAC_RETIRED): must be at least 32 characters",
    ],
    [
      { LATCHKEY_SECRETS_PEPPER: SECRET, LATCHKEY_SECRETS_PEPPER_FILE: "/x" },
      "secrets.pepper (LATCHKEY_SECRETS_PEPPER): is set by LATCHKEY_SECRETS_PEPPER_FILE too; set only one of them",
    ],
    [
      { LATCHKEY_SECRETS_PEPPER_FILE: "hunter2" },
      "secrets.pepper (LATCHKEY_SECRETS_PEPPER_FILE): names a file that cannot be read (ENOENT)",
    ],
    [{ LATCHKEY_ADMIN_TOKENS: "hunter2" }, "admin.tokens (LATCHKEY_ADMIN_TOKENS): must be a JSON list of objects"],
    [{ LATCHKEY_ADMIN_TOKENS: '{"a":"hunter2"}' }, "admin.tokens (LATCHKEY_ADMIN_TOKENS): must be a list"],
    [{ LATCHKEY_ADMIN_TOKENS: "[]" }, "admin.tokens (LATCHKEY_ADMIN_TOKENS): must name at least one token"],
    [
      { LATCHKEY_TOKENS_SIGNING_JWKS_URLS: "" },
      "tokens.signing_jwks_urls (LATCHKEY_TOKENS_SIGNING_JWKS_URLS): must name at least one URL",
    ],
    [
      { LATCHKEY_TOKENS_SIGNING_JWKS_URLS: "file:///a,https://u:hunter2@keys.example.com/" },
      "tokens.signing_jwks_urls[1] (LATCHKEY_TOKENS_SIGNING_JWKS_URLS): must not hold a user name or a password",
    ],
    [
      { LATCHKEY_TOKENS_SIGNING_JWKS_URLS: "base64://hunter2*" },
      "tokens.signing_jwks_urls[0] (LATCHKEY_TOKENS_SIGNING_JWKS_URLS): must be file:///path, https://host/path or " +
        "base64://<JWK Set in base64>",
    ],
    [
      { LATCHKEY_TOKENS_SIGNING_JWKS_URLS: "http://127.0.0.1/?token=hunter2" },
      "tokens.signing_jwks_urls[0] (LATCHKEY_TOKENS_SIGNING_JWKS_URLS): must not be http://, which shows private keys " +
        "to the network; use https://",
    ],
    [{ LATCHKEY_TOKENS_MAX_TTL: "0s" }, "tokens.max_ttl (LATCHKEY_TOKENS_MAX_TTL): must be from 1s to 315360000s"],
    [
      { LATCHKEY_CLIENT_IP_SOURCE: "forwarded" },
      "client_ip.source (LATCHKEY_CLIENT_IP_SOURCE): must be one of remote_addr, x_forwarded_for, x_real_ip, " +
        "cf_connecting_ip, true_client_ip",
    ],
    [
      { LATCHKEY_CLIENT_IP_SOURCE: "x_real_ip", LATCHKEY_CLIENT_IP_TRUSTED_PROXIES: "10.0.0.0/8,0.0.0.0/0" },
      "client_ip.trusted_proxies[1] (LATCHKEY_CLIENT_IP_TRUSTED_PROXIES): must be an IP address or a network such as " +
        "10.0.0.0/8; not /0, and IPv4 not written as IPv6",
    ],
  ])("%j", (env, expected) => {
    expect(mistakesOf(env)).toEqual([expected]);
  });

  test("of a token name the field and not its value", () => {
    const tokens = [
      { name: "a b", token: "hunter2", role: "root" },
      { name: "a", role: "admin" },
      { name: "b", role: "admin", token: TOKEN, token_sha256: TOKEN_SHA256 },
      { name: "c", role: "admin", token: TOKEN, hunter2: 1 },
      { token_sha256: "abc" },
      "hunter2",
    ];
    const at = (path: string) => `admin.tokens${path} (LATCHKEY_ADMIN_TOKENS)`;
    expect(mistakesOf({ LATCHKEY_ADMIN_TOKENS: JSON.stringify(tokens) })).toEqual([
      `${at("[0].name")}: must be 1 to 64 characters of A-Z, a-z, 0-9, '.', '_' and '-'`,
      `${at("[0].token")}: must be at least 16 characters`,
      `${at("[0].role")}: must be one of verifier, reader, admin`,
      `${at("[1]")}: must have either token or token_sha256`,
      `${at("[2]")}: must have either token or token_sha256`,
      `${at("[3]")}: has an unknown field; must be an object with name, token or token_sha256, and role`,
      `${at("[4].name")}: is missing`,
      `${at("[4].token_sha256")}: must be 64 hexadecimal characters`,
      `${at("[4].role")}: is missing`,
      `${at("[5]")}: must be an object with name, token or token_sha256, and role`,
    ]);
  });

  test.each([
    ["server: 5", "server (FILE:1): must be a map of settings"],
    ["- a", "FILE:1: must be a map of settings"],
    ["server:\n  port:\n", "server.port (FILE:2): has no value; give one or remove the line"],
    ["secrets:\n  pepper: 12345678901234567890123456789012", "secrets.pepper (FILE:2): must be text; put it in quotes"],
    ["secrets:\n  pepper: 'hunter2\n", "FILE:3: is not valid YAML (MISSING_CHAR)"],
    ["server:\n  port: 1\n  port: 2\n", "FILE:3: is not valid YAML (DUPLICATE_KEY)"],
    ["a: 1\n---\nb: 2\n", "FILE:2: is not valid YAML (MULTIPLE_DOCS)"],
  ])("%j", (yaml, expected) => {
    expect(mistakesOf({}, yaml)).toEqual([expected]);
  });

  test("are told when the file itself cannot be read, and only what is sure then", () => {
    const file = join(directory, "none.yaml");
    const env = { LATCHKEY_SERVER_HOST: "0.0.0.0", LATCHKEY_SERVER_PORT: "x" };
    expect(loadConfig({ file, env }).mistakes?.map(formatMistake)).toEqual([
      `the configuration file ${file} cannot be read (ENOENT)`,
      "server.port (LATCHKEY_SERVER_PORT): must be a whole number from 0 to 65535",
    ]);
  });
});
