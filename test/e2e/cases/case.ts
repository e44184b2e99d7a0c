import type { Api } from "../api.js";

export interface CaseContext {
  readonly api: Api;
  /** An actor that no other case has. */
  readonly actorId: string;
}

/**
 * `plain`: with the defaults. `tuned`: with a public prefix, a default lifetime of 1 h and a longest one of 2 h. `proxied`:
 * the cases are its trusted proxy, and name the client in X-Forwarded-For.
 */
export type ServerName = "plain" | "tuned" | "proxied";

/** One thing the service promises, over every protocol and on every store. */
export interface Case {
  readonly name: string;
  /** Absent: `plain`. */
  readonly server?: ServerName;
  readonly run: (context: CaseContext) => Promise<void>;
}
