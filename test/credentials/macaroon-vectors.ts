import { readFileSync } from "node:fs";

export interface CreateVector {
  readonly name: string;
  readonly root_key: string;
  readonly identifier: string;
  readonly location: string;
  readonly caveats: readonly { readonly identifier: string; readonly third_party?: boolean }[];
  /** Hexadecimal. */
  readonly signature: string;
  /** base64url. */
  readonly v2: string;
}

/** Excerpt of the shared conformance vectors; each record there names its source. */
export const vectors: {
  readonly create: readonly CreateVector[];
  readonly third_party_v2: readonly { readonly name: string; readonly v2: string }[];
  readonly packet_errors: readonly { readonly about: string; readonly hex: string }[];
  readonly varint: readonly { readonly value: number; readonly bytes: readonly number[] }[];
  readonly npm_macaroon_3_0_4: readonly { readonly name: string; readonly hex: string; readonly accepts: boolean }[];
} = JSON.parse(readFileSync(new URL("../vectors/macaroons.json", import.meta.url), "utf8"));

/** Vectors that a first-party implementation makes, and those it refuses. */
export const firstParty = vectors.create.filter(({ caveats }) => !caveats.some((caveat) => caveat.third_party));
export const thirdParty = [
  ...vectors.create.filter(({ caveats }) => caveats.some((caveat) => caveat.third_party)),
  ...vectors.third_party_v2,
];
