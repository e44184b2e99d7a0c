/**
 * A set of signing keys that the service cannot use. The message says which and why; it never holds a part of a key, nor
 * what of a URL may be secret.
 */
export class SigningKeysError extends Error {
  override readonly name = "SigningKeysError";
  /** What is wrong, without the place. */
  readonly problem: string;

  constructor(place: string, problem: string) {
    super(`${place}: ${problem}`);
    this.problem = problem;
  }
}
