import { createRequire } from "node:module";

/**
 * What the tests use of npm's `macaroon`, which brings no types. Not its `exportBinary`: that doubles its memory with every
 * field, up to an error after a few caveats.
 */
interface MacaroonPackage {
  newMacaroon(parameters: {
    readonly identifier: Uint8Array | string;
    readonly rootKey: Uint8Array | string;
    readonly location?: string;
    readonly version: 2;
  }): PackageMacaroon;
  /** @throws an Error for bytes that it does not take for a macaroon */
  importMacaroon(bytes: Uint8Array): PackageMacaroon;
}

export interface PackageMacaroon {
  readonly identifier: Uint8Array;
  readonly signature: Uint8Array;
  addFirstPartyCaveat(caveat: Uint8Array | string): void;
  /** @throws an Error when the signature does not hold, or `check` answers the text of an error for a caveat */
  verify(rootKey: Uint8Array | string, check: (caveat: string) => string | null): void;
}

/** Another implementation of macaroons, by other authors. */
export const { newMacaroon, importMacaroon } = createRequire(import.meta.url)("macaroon") as MacaroonPackage;
