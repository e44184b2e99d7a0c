/** The generated secrets that can be followed by others. */
export const ROTATED_SECRETS = ["hmac", "signing-key"] as const;
export type RotatedSecret = (typeof ROTATED_SECRETS)[number];

/** Five minutes until every process has read a key, and five until every cache has let go of the set without it. */
export const DEFAULT_OVERLAP_MS = 600_000;
