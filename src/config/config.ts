import type { KeyObject } from "node:crypto";
import type { SecretUrl } from "./secret-url.js";
import type { ADMIN_ROLES, CLIENT_IP_SOURCES } from "./setting-types.js";
import type { SettingValues } from "./settings.js";

export type AdminRole = (typeof ADMIN_ROLES)[number];
export type ClientIpSource = (typeof CLIENT_IP_SOURCES)[number];
export type LogLevel = SettingValues["log.level"];

/** A token of the admin API. Only its hash is kept. */
export interface AdminToken {
  readonly name: string;
  readonly role: AdminRole;
  /** SHA-256 of the token's bytes. */
  readonly sha256: Uint8Array;
}

/** PEM files. */
export interface TlsConfig {
  readonly certFile: string;
  readonly keyFile: string;
  /** Set: clients must show a certificate of these authorities. */
  readonly clientCaFile: string | undefined;
}

export interface MongoConfig {
  /** May hold a password. */
  readonly uri: string;
  readonly timeoutMs: number;
  readonly autoMigrate: boolean;
}

/** The service's configuration: complete, checked, and of one piece. */
export interface Config {
  readonly server: {
    readonly host: string;
    /** 0 takes a free port. */
    readonly port: number;
    readonly tls: TlsConfig | undefined;
    readonly maxConnections: number;
    readonly firstByteTimeoutMs: number;
    readonly requestTimeoutMs: number;
    readonly drainTimeoutMs: number;
    readonly grpcUnaryLane: boolean;
  };
  readonly dataDir: string;
  readonly admin: {
    readonly auth: "token" | "none";
    /** Absent: the generated one. */
    readonly tokens: readonly AdminToken[] | undefined;
  };
  readonly store: {
    /** Absent: the embedded store. */
    readonly mongodb: MongoConfig | undefined;
  };
  /** What verifications remember of keys in MongoDB. Absent: nothing. */
  readonly cache:
    | {
        readonly ttlMs: number;
        readonly maxBytes: number;
        readonly pollIntervalMs: number;
        readonly pollOverlapMs: number;
        readonly maxStalenessMs: number;
      }
    | undefined;
  /** What is absent is generated. Key objects do not show their value when they are printed. */
  readonly secrets: {
    readonly hmac: { readonly current: KeyObject | undefined; readonly retired: readonly KeyObject[] };
    readonly pepper: KeyObject | undefined;
  };
  readonly keys: {
    readonly prefix: string;
    /** Absent: there are no public keys. */
    readonly publicPrefix: string | undefined;
    readonly retiredPrefixes: readonly string[];
    /** Absent: a key that asks for no lifetime never expires. */
    readonly defaultTtlMs: number | undefined;
    readonly maxTtlMs: number;
  };
  /** Tokens that are derived from keys. */
  readonly tokens: {
    readonly issuer: string;
    /** Absent: tokens name no audience. */
    readonly audience: string | undefined;
    readonly macaroonPrefix: string;
    readonly defaultTtlMs: number;
    readonly maxTtlMs: number;
    /** Whether verifying a token reads the record of its key. */
    readonly checkParent: boolean;
    /** Private JWK Sets. Absent: the generated one. */
    readonly signingJwksUrls: readonly SecretUrl[] | undefined;
    /** Absent: the sets decide. */
    readonly signingKeyId: string | undefined;
  };
  readonly clientIp: {
    readonly source: ClientIpSource;
    /** IP addresses, and networks in CIDR notation. */
    readonly trustedProxies: readonly string[];
  };
  readonly log: { readonly level: LogLevel };
}

/** Puts the settings' values where the code wants them. */
export function configFromValues(values: SettingValues): Config {
  const { "server.tls.cert_file": certFile, "server.tls.key_file": keyFile, "store.mongodb.uri": uri } = values;
  return {
    server: {
      host: values["server.host"],
      port: values["server.port"],
      tls:
        certFile === undefined || keyFile === undefined
          ? undefined
          : { certFile, keyFile, clientCaFile: values["server.tls.client_ca_file"] },
      maxConnections: values["server.max_connections"],
      firstByteTimeoutMs: values["server.first_byte_timeout"],
      requestTimeoutMs: values["server.request_timeout"],
      drainTimeoutMs: values["server.drain_timeout"],
      grpcUnaryLane: values["server.grpc_unary_lane"],
    },
    dataDir: values.data_dir,
    admin: { auth: values["admin.auth"], tokens: values["admin.tokens"] },
    store: {
      mongodb:
        uri === undefined
          ? undefined
          : { uri, timeoutMs: values["store.mongodb.timeout"], autoMigrate: values["store.mongodb.auto_migrate"] },
    },
    cache:
      values["cache.ttl"] === 0
        ? undefined
        : {
            ttlMs: values["cache.ttl"],
            maxBytes: values["cache.max_bytes"],
            pollIntervalMs: values["cache.poll_interval"],
            pollOverlapMs: values["cache.poll_overlap"],
            maxStalenessMs: values["cache.max_staleness"],
          },
    secrets: {
      hmac: { current: values["secrets.hmac.current"], retired: values["secrets.hmac.retired"] },
      pepper: values["secrets.pepper"],
    },
    keys: {
      prefix: values["keys.prefix"],
      publicPrefix: values["keys.public_prefix"],
      retiredPrefixes: values["keys.retired_prefixes"],
      defaultTtlMs: values["keys.default_ttl"],
      maxTtlMs: values["keys.max_ttl"],
    },
    tokens: {
      issuer: values["tokens.issuer"],
      audience: values["tokens.audience"],
      macaroonPrefix: values["tokens.macaroon_prefix"],
      defaultTtlMs: values["tokens.default_ttl"],
      maxTtlMs: values["tokens.max_ttl"],
      checkParent: values["tokens.check_parent"],
      signingJwksUrls: values["tokens.signing_jwks_urls"],
      signingKeyId: values["tokens.signing_key_id"],
    },
    clientIp: { source: values["client_ip.source"], trustedProxies: values["client_ip.trusted_proxies"] },
    log: { level: values["log.level"] },
  };
}
