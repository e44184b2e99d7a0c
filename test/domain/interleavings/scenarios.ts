import type { Actor } from "./actor.js";
import type { Cast, Participant } from "./cast.js";

const REQUEST_ID = "one request";
export const GRACE_PERIOD_MS = 3_600_000;

export interface Scenario {
  readonly title: string;
  /** Most calls of a schedule that meet a fault. */
  readonly faults: number;
  /** Fewer would mean that the search no longer gets everywhere. */
  readonly minStates: number;
  readonly participants: (cast: Cast) => Promise<readonly Participant[]>;
  /** Who has to get a working secret when everybody else has stopped. */
  readonly retry?: (cast: Cast) => Actor;
}

/** Everybody that rotation meets. In each, any of them may stop for good at any step. */
export const SCENARIOS = {
  oneRotator: {
    title: "a rotator and a sweeper",
    faults: 4,
    minStates: 1_500,
    participants: async (cast) => [cast.rotator("rotator"), cast.sweeper("sweeper")],
  },
  twoRotators: {
    title: "two rotators and a sweeper",
    faults: 2,
    minStates: 60_000,
    participants: async (cast) => [cast.rotator("rotator 1"), cast.rotator("rotator 2"), cast.sweeper("sweeper")],
  },
  twoSweepers: {
    title: "a rotator, two sweepers and a verifier of the new key",
    faults: 2,
    minStates: 60_000,
    participants: async (cast) => {
      const rotator = cast.rotator("rotator");
      const verifier = cast.verifier("verifier", await cast.newKeyOf(rotator));
      return [rotator, cast.sweeper("sweeper 1"), cast.sweeper("sweeper 2"), verifier];
    },
  },
  update: {
    title: "a rotator, a sweeper, an admin who updates the old key and a verifier of the new one",
    faults: 2,
    minStates: 30_000,
    participants: async (cast) => {
      const rotator = cast.rotator("rotator");
      const verifier = cast.verifier("verifier", await cast.newKeyOf(rotator));
      return [rotator, cast.sweeper("sweeper"), cast.updater("updater"), verifier];
    },
  },
  revocationOfOld: {
    title: "a rotator, a sweeper, an admin who revokes the old key and a verifier of the new one",
    faults: 2,
    minStates: 25_000,
    participants: async (cast) => {
      const rotator = cast.rotator("rotator");
      const verifier = cast.verifier("verifier", await cast.newKeyOf(rotator));
      return [rotator, cast.sweeper("sweeper"), cast.revoker("revoker"), verifier];
    },
  },
  revocationOfNew: {
    title: "a rotator, a sweeper, an admin who revokes the new key and a verifier of it",
    faults: 2,
    minStates: 100_000,
    participants: async (cast) => {
      const rotator = cast.rotator("rotator");
      const key = await cast.newKeyOf(rotator);
      return [rotator, cast.sweeper("sweeper"), cast.revoker("revoker", key.keyId), cast.verifier("verifier", key)];
    },
  },
  grace: {
    title: "two rotators with a grace period, a sweeper and an admin who revokes the old key",
    faults: 1,
    minStates: 100_000,
    participants: async (cast) => [
      cast.rotator("rotator 1", { gracePeriodMs: GRACE_PERIOD_MS }),
      cast.rotator("rotator 2", { gracePeriodMs: GRACE_PERIOD_MS }),
      cast.sweeper("sweeper"),
      cast.revoker("revoker"),
    ],
  },
  chain: {
    title: "a rotator, one who rotates its new key, and a sweeper",
    faults: 2,
    minStates: 60_000,
    participants: async (cast) => {
      const rotator = cast.rotator("rotator");
      const { keyId } = await cast.newKeyOf(rotator);
      return [rotator, cast.rotator("next rotator", { target: keyId }), cast.sweeper("sweeper")];
    },
  },
  repetition: {
    title: "a rotation and its repetition, a sweeper and an admin who updates the old key",
    faults: 1,
    minStates: 80_000,
    participants: async (cast) => [
      cast.rotator("rotator 1", { requestId: REQUEST_ID }),
      cast.rotator("rotator 2", { requestId: REQUEST_ID }),
      cast.sweeper("sweeper"),
      cast.updater("updater"),
    ],
    retry: (cast) => cast.retry(REQUEST_ID),
  },
  everybodyAndUpdate: {
    title: "two rotators, a sweeper, an admin who updates the old key, and a verifier",
    faults: 0,
    minStates: 40_000,
    participants: async (cast) => {
      const rotator = cast.rotator("rotator 1");
      const verifier = cast.verifier("verifier", await cast.newKeyOf(rotator));
      return [rotator, cast.rotator("rotator 2"), cast.sweeper("sweeper"), cast.updater("updater"), verifier];
    },
  },
  everybodyAndRevocation: {
    title: "two rotators, a sweeper, an admin who revokes the old key, and a verifier",
    faults: 0,
    minStates: 30_000,
    participants: async (cast) => {
      const rotator = cast.rotator("rotator 1");
      const verifier = cast.verifier("verifier", await cast.newKeyOf(rotator));
      return [rotator, cast.rotator("rotator 2"), cast.sweeper("sweeper"), cast.revoker("revoker"), verifier];
    },
  },
} satisfies Readonly<Record<string, Scenario>>;
