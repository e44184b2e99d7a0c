/** A new secret in the directory of the generated ones. Times are in milliseconds of Unix time. */
export interface Rotation {
  readonly directory: string;
  /** When it takes the place of the one before. It is accepted, or published, from when a service reads it. */
  readonly usedFromMs: number;
}

/** Secrets that had a successor by then are forgotten; infinity: all but the newest. */
export interface Forgetting {
  readonly directory: string;
  readonly retiredBeforeMs: number;
}

export interface Forgotten {
  /** How many. */
  readonly forgotten: number;
  /** Until when each of those that are kept was, or is, used. */
  readonly keptUsedUntilMs: readonly number[];
}
