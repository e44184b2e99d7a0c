/** What the test and the process of the attackers say to each other. */

export interface FloodOrder {
  /** A name in `FLOODS`. */
  readonly flood: string;
  /** On 127.0.0.1. */
  readonly port: number;
  /** What each attacker sends at least, unless it takes too long. */
  readonly frames: number;
}

export type ToAttackers = { readonly kind: "start"; readonly order: FloodOrder } | { readonly kind: "stop" };

export type FromAttackers =
  | { readonly kind: "ready" }
  /** Each attacker has sent what was asked for, or its time is over. Those that have time left go on. */
  | { readonly kind: "enough" }
  /** The frames that each of them sent. */
  | { readonly kind: "stopped"; readonly sent: readonly number[] };
