/**
 * A write whose reply is lost was carried out, or was not, or will be. It is tried again, and knows what an earlier try did:
 *
 * | operation             | how it knows                                                                                 |
 * | --------------------- | -------------------------------------------------------------------------------------------- |
 * | insert, insertMany    | the key that is there has the record's own derive seed (`insert-keys.ts`)                    |
 * | restoreMany           | need not know: a record that is there at its version is restored (`restore-keys.ts`)         |
 * | compareAndSet, delete | the document is at the next version and has this call's write id (`update-on-version.ts`)    |
 * | acquireLease          | need not know: a holder may renew, so two tries do what one does (`acquire-lease.ts`)        |
 * | claim                 | need not know: what a majority read shows is the claim, whoever wrote it (`take-claim.ts`)   |
 * | removeTombstones      | cannot know how many went, and is not tried again: the next sweep finds those that are left  |
 *
 * The driver's own retries of writes are off (`client-options.ts`): they need a replica set or a sharded cluster, and end
 * after one.
 */
import { writeTimeMs } from "./client-options.js";
import { isOutcomeUnknown } from "./outcome-unknown.js";

/** How often a write is tried while nobody tells its outcome. A fail-over takes one try, and a second when it is slow. */
export const MAX_TRIES = 3;

/**
 * One try. `maxTimeMs` is for the server. `earlierFailure` is `undefined` at the first try; afterwards an earlier one may
 * have been carried out. Throws `earlierFailure` when it can still not tell.
 */
export type WriteTry<T> = (maxTimeMs: number, earlierFailure: unknown) => Promise<T>;

/** What the write answers as soon as it does, within `timeoutMs`. Throws the driver's error when it never does. */
export async function writeUntilKnown<T>(timeoutMs: number, write: WriteTry<T>): Promise<T> {
  const endTime = performance.now() + timeoutMs;
  let failure: unknown;
  for (let tries = 1; ; tries += 1) {
    try {
      return await write(writeTimeMs(endTime - performance.now()), failure);
    } catch (error) {
      failure = error;
    }
    // Later nobody waits any more, and a write would surprise whoever has read in the meantime.
    const isLate = performance.now() >= endTime;
    if (isLate || tries === MAX_TRIES || !isOutcomeUnknown(failure)) throw failure;
  }
}
