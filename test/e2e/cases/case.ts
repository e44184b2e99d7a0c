import type { Api } from "../api.js";

export interface CaseContext {
  readonly api: Api;
  /** An actor that no other case has. */
  readonly actorId: string;
}

/** One thing the service promises, over every protocol and on every store. */
export interface Case {
  readonly name: string;
  /** `tuned`: with a public prefix, a default lifetime of 1 h and a longest one of 2 h. Else with the defaults. */
  readonly server?: "tuned";
  readonly run: (context: CaseContext) => Promise<void>;
}
