import { isIP } from "node:net";
import type { z } from "zod";
import {
  adminToken,
  byteSize,
  CLIENT_IP_SOURCES,
  duration,
  integer,
  jwksUrl,
  listOf,
  network,
  oneOf,
  secretText,
  text,
  textMatching,
  yesOrNo,
} from "./setting-types.js";

const HIGHEST_PORT = 65_535;
const MOST_CONNECTIONS = 1_000_000;

const hostName = /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*\.?$/;
const timeout = () => duration("1ms", "1h");
const lifetime = () => duration("1s", "315360000s");
const prefix = () => textMatching(/^[A-Za-z0-9_]{1,16}$/, "1 to 16 characters of A-Z, a-z, 0-9 and '_'");

/**
 * Every setting by its YAML path. The one place where a setting is declared: its type, default, description,
 * environment variable (`LATCHKEY_` and the path), row in the README and error messages come from here.
 *
 * `prefault` holds the default as a user would write it. A rule about more than one setting is in `rules.ts`.
 */
export const settings = {
  "server.host": text()
    .refine((host) => isIP(host) !== 0 || hostName.test(host), "must be an IP address or a host name")
    .prefault("127.0.0.1")
    .describe("Address to listen on. Anything but loopback needs explicit secrets and admin authentication."),
  "server.port": integer(0, HIGHEST_PORT)
    .prefault(4420)
    .describe("The one port, for every protocol. 0 takes a free one."),
  "server.tls.cert_file": text().optional().describe("PEM file with the certificate chain. Turns TLS on."),
  "server.tls.key_file": text().optional().describe("PEM file with the certificate's private key."),
  "server.tls.client_ca_file": text()
    .optional()
    .describe("PEM file with the authorities that client certificates must come from."),
  "server.max_connections": integer(1, MOST_CONNECTIONS)
    .prefault(10_000)
    .describe("Connections open at the same time."),
  "server.first_byte_timeout": timeout().prefault("10s").describe("How long a new connection may stay silent."),
  "server.request_timeout": timeout()
    .prefault("30s")
    .describe("How long a call may take, whatever deadline the client asks for."),
  "server.drain_timeout": timeout().prefault("10s").describe("How long calls may go on after SIGTERM."),
  "server.grpc_unary_lane": yesOrNo()
    .prefault(true)
    .describe("Whether unary gRPC calls take their own, faster way. The answers are the same."),
  data_dir: text()
    .prefault("./data")
    .describe("Directory of the embedded store (`store/`) and the generated secrets (`secrets/`)."),
  "admin.auth": oneOf("token", "none")
    .prefault("token")
    .describe("`token`: admin calls need `Authorization: Bearer`. `none`: anyone who reaches the port is an admin."),
  "admin.allow_unauthenticated": yesOrNo()
    .prefault(false)
    .describe("Confirms `admin.auth: none` on an address other than loopback."),
  "admin.tokens": listOf(adminToken())
    .min(1, "must name at least one token")
    .optional()
    .describe(
      "Objects of `name`, `token` or `token_sha256`, and `role` (`verifier`, `reader` or `admin`). Unset: one is generated.",
    ),
  "store.mongodb.uri": textMatching(/^mongodb(\+srv)?:\/\/[^/]/, "a URI that starts with mongodb:// or mongodb+srv://")
    .optional()
    .describe("Keeps the keys in MongoDB instead of the embedded store."),
  "store.mongodb.timeout": timeout()
    .prefault("2s")
    .describe("How long an operation on MongoDB may take, connecting included."),
  "store.mongodb.auto_migrate": yesOrNo()
    .prefault(true)
    .describe(
      "Whether `serve` brings the database's schema up to date. Otherwise run `latchkey migrate up` before it.",
    ),
  "cache.ttl": duration("0s", "1h")
    .prefault("60s")
    .describe("How long a key in MongoDB is remembered for verifications. `0s` turns the cache off."),
  "cache.max_bytes": byteSize("1MiB", "64GiB").prefault("64MiB").describe("About how much memory these keys may take."),
  "cache.poll_interval": duration("10ms", "1s")
    .prefault("50ms")
    .describe("How often MongoDB is asked which keys were changed by other processes."),
  "cache.poll_overlap": duration("5s", "1m")
    .prefault("5s")
    .describe(
      "How far back changes are looked for once a second: a write (2s), two polls (1s each), and how far clocks may move apart.",
    ),
  "cache.max_staleness": duration("100ms", "1m")
    .prefault("5s")
    .describe(
      "How old what is remembered may be. Past it the key is read, and while MongoDB cannot be read, verifications fail.",
    ),
  "secrets.hmac.current": secretText()
    .optional()
    .describe(
      "Secret that macaroons and page tokens are made with, and secrets for retries sealed: text of at least 32 characters. Unset: generated.",
    ),
  "secrets.hmac.retired": listOf(secretText()).prefault([]).describe("Earlier values of it that are still accepted."),
  "secrets.pepper": secretText()
    .optional()
    .describe(
      "Secret that ids of imported keys are made with: text of at least 32 characters. Never changes. Unset: generated.",
    ),
  "keys.prefix": prefix().prefault("lk").describe("First part of new secret keys."),
  "keys.public_prefix": prefix().optional().describe("First part of new public keys. Unset: there are none."),
  "keys.retired_prefixes": listOf(prefix()).prefault([]).describe("Earlier prefixes, whose keys still verify."),
  "keys.default_ttl": lifetime().optional().describe("Lifetime of a key that asks for none. Unset: it never expires."),
  "keys.max_ttl": lifetime().prefault("315360000s").describe("Longest lifetime that a key can ask for."),
  "tokens.issuer": text().prefault("latchkey").describe("Issuer (`iss`) of derived tokens."),
  "tokens.audience": text().optional().describe("Audience (`aud`) of derived tokens. Unset: they name none."),
  "tokens.macaroon_prefix": prefix().prefault("mc").describe("First part of macaroons."),
  "tokens.default_ttl": lifetime().prefault("15m").describe("Lifetime of a derived token that asks for none."),
  "tokens.max_ttl": lifetime().prefault("24h").describe("Longest lifetime that a derived token can ask for."),
  "tokens.check_parent": yesOrNo()
    .prefault(true)
    .describe("Whether verifying a derived token reads its key too, so that a revoked key ends its tokens at once."),
  "tokens.signing_jwks_urls": listOf(jwksUrl())
    .min(1, "must name at least one URL")
    .optional()
    .describe(
      "Private JWK Sets (Ed25519, RSA) that derived tokens are signed with: `file://`, `https://` or `base64://`. Unset: a generated one.",
    ),
  "tokens.signing_key_id": text()
    .optional()
    .describe(
      "`kid` of the key to sign with. Unset: the first with `use: sig`, else the first, that is private; one whose `nbf` has come goes before.",
    ),
  "client_ip.source": oneOf(...CLIENT_IP_SOURCES)
    .prefault("remote_addr")
    .describe(
      "Where a client's address is read: `remote_addr` (the connection), `x_forwarded_for`, `x_real_ip`, `cf_connecting_ip` or `true_client_ip`.",
    ),
  "client_ip.trusted_proxies": listOf(network())
    .prefault([])
    .describe(
      "Addresses and networks of the proxies whose header is believed. Needed for every source that is a header.",
    ),
  "log.level": oneOf("trace", "debug", "info", "warn", "error", "fatal", "silent")
    .prefault("info")
    .describe("Least severe level that is logged."),
} as const satisfies Record<string, z.ZodType>;

export type SettingPath = keyof typeof settings;
export const settingPaths = Object.keys(settings) as SettingPath[];

/** What each setting's text turned into. */
export type SettingValues = { readonly [P in SettingPath]: z.output<(typeof settings)[P]> };
