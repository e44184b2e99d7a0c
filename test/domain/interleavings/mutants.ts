/** The rules of `src/domain/rotate-key.ts`, each taken out in some way, and what the search finds then. */
import type { SCENARIOS } from "./scenarios.js";

export interface Mutant {
  /** How the rule begins in `rotate-key.ts`. */
  readonly rule: string;
  /** What is done instead. */
  readonly title: string;
  /** A file of `src/domain/`. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly replace: string;
  readonly by: string;
  /** Goes at the end of the file. */
  readonly append?: string;
  readonly scenario: keyof typeof SCENARIOS;
  readonly violation: string;
}

const COMPARE_AND_SET = "every write to an existing record is a compare-and-set of named fields on its version";
const NO_CACHE = "reads that a write or a commit decision rests on come from the store, never from a cache";
const UNKNOWN = 'only an acknowledged "no match" is an outcome';
const SUCCESSOR = "no later write changes `successor`";
const OWN_ID = "each attempt has a key id of its own";
const COMMITTED = "a pending key is committed exactly when its predecessor, read after it, names it";
const REMOVED = "a pending key is removed only when its predecessor is past the version that the rotation read";

/** The first that was read of each key is all that a process reads of it. */
const CACHED_READ = `
const firstReads = new WeakMap();
async function readCached(store, id) {
  const reads = firstReads.get(store) ?? new Map();
  firstReads.set(store, reads);
  if (!reads.has(id.keyId)) reads.set(id.keyId, await store.read(id));
  return reads.get(id.keyId);
}
`;

export const MUTANTS: readonly Mutant[] = [
  {
    rule: COMPARE_AND_SET,
    title: "the commit is written at whatever version there is",
    file: "rotate-key.ts",
    replace: "await store.compareAndSet(predecessor, predecessor.version, change)",
    by: "await store.compareAndSet(predecessor, (await store.read(predecessor))?.version ?? 0, change)",
    scenario: "twoRotators",
    violation: "a successor changed",
  },
  {
    rule: COMPARE_AND_SET,
    title: "an update is written at whatever version there is, with the fields that were read",
    file: "update-key.ts",
    replace: "await context.store.compareAndSet(record, record.version, change)",
    by: `await context.store.compareAndSet(record, (await context.store.read(record))?.version ?? 0, {
      ...change, revocation: record.revocation ?? null, successor: record.successor ?? null,
    })`,
    scenario: "update",
    violation: "a successor changed",
  },
  {
    rule: NO_CACHE,
    title: "whether a commit happened is asked of a cache",
    file: "rotate-key.ts",
    replace: "const actual = await store.read(predecessor);",
    by: "const actual = await readCached(store, predecessor);",
    append: CACHED_READ,
    scenario: "twoRotators",
    violation: "rotator 2: the rotation was refused, and happened",
  },
  {
    rule: NO_CACHE,
    title: "whether a pending key is committed is asked of a cache",
    file: "load-key.ts",
    replace: "const predecessor = await store.read({",
    by: "const predecessor = await readCached(store, {",
    append: CACHED_READ,
    scenario: "twoSweepers",
    violation: "a committed key is gone",
  },
  {
    rule: UNKNOWN,
    title: "a commit without an answer counts as lost",
    file: "rotate-key.ts",
    replace: "      failure = error;\n",
    by: "      await store.delete(successor, successor.version);\n      throw error;\n",
    scenario: "twoRotators",
    violation: "a committed key is gone",
  },
  {
    rule: UNKNOWN,
    title: "a commit without an answer counts as made",
    file: "rotate-key.ts",
    replace: "      failure = error;\n",
    by: "      return { ...predecessor, ...change };\n",
    scenario: "twoRotators",
    violation: "rotator 2: the old key does not name the key that was answered",
  },
  {
    rule: UNKNOWN,
    title: "the sweeper takes a write without an answer for one that is made",
    file: "sweep.ts",
    replace: "await store.compareAndSet(predecessorId, record.pending.version, {});",
    by: "await store.compareAndSet(predecessorId, record.pending.version, {}).catch(() => undefined);",
    scenario: "twoSweepers",
    violation: "a committed key is gone",
  },
  {
    rule: SUCCESSOR,
    title: "a key in its grace period is rotated again",
    file: "rotate-key.ts",
    replace: "if (record.successor !== undefined) {",
    by: "if (record.successor === record.keyId) {",
    scenario: "grace",
    violation: "a successor changed",
  },
  {
    rule: SUCCESSOR,
    title: "a revocation takes it away",
    file: "revoke-key.ts",
    replace: "updateTime: now };",
    by: "updateTime: now, successor: null };",
    scenario: "grace",
    violation: "a successor changed",
  },
  {
    rule: OWN_ID,
    title: "repetitions share one, whatever the version that they read",
    file: "rotate-key.ts",
    replace: "    attempt: predecessor.version,\n",
    by: "",
    scenario: "repetition",
    violation: "rotator 2: the secret that was answered does not verify",
  },
  {
    rule: COMMITTED,
    title: "it is not pending in the first place",
    file: "rotate-key.ts",
    replace: "    pending: { predecessor: predecessor.keyId, version: predecessor.version },\n",
    by: "",
    scenario: "twoRotators",
    violation: "a key is seen that is not committed",
  },
  {
    rule: COMMITTED,
    title: "it counts as committed from the start",
    file: "load-key.ts",
    replace: "if (predecessor?.successor !== record.keyId) return undefined;",
    by: "if (predecessor === undefined) return undefined;",
    scenario: "twoRotators",
    violation: "a key is seen that is not committed",
  },
  {
    rule: COMMITTED,
    title: "it counts as committed when its predecessor was rotated",
    file: "load-key.ts",
    replace: "if (predecessor?.successor !== record.keyId) return undefined;",
    by: "if (predecessor?.successor === undefined) return undefined;",
    scenario: "twoRotators",
    violation: "a key is seen that is not committed",
  },
  {
    rule: COMMITTED,
    title: "it counts as committed when the mark is gone, and not before",
    file: "load-key.ts",
    replace: `freshness);
  return record?.pending === undefined ? record : settlePending(store, record);`,
    by: `freshness);
  return record?.pending === undefined ? record : undefined;`,
    scenario: "twoRotators",
    violation: "a committed key is not seen",
  },
  {
    rule: COMMITTED,
    title: "the predecessor's status matters too",
    file: "load-key.ts",
    replace: "if (predecessor?.successor !== record.keyId) return undefined;",
    by: `if (predecessor?.successor !== record.keyId || predecessor.revocation?.reason !== "superseded") return undefined;`,
    scenario: "grace",
    violation: "a committed key is not seen",
  },
  {
    rule: REMOVED,
    title: "its age is enough",
    file: "sweep.ts",
    replace: `  if (await settlePending(store, record)) return "completed";

  const predecessorId = { tenantId: record.tenantId, keyId: record.pending.predecessor };
  await store.compareAndSet(predecessorId, record.pending.version, {});
  if (await settlePending(store, record)) return "completed"; // the commit came first
`,
    by: "",
    scenario: "twoSweepers",
    violation: "a committed key is gone",
  },
  {
    rule: REMOVED,
    title: "the version is not used up",
    file: "sweep.ts",
    replace: "  await store.compareAndSet(predecessorId, record.pending.version, {});\n",
    by: "",
    scenario: "twoSweepers",
    violation: "a committed key is gone",
  },
  {
    rule: REMOVED,
    title: "the predecessor is not read again once its version is used up",
    file: "sweep.ts",
    replace: '  if (await settlePending(store, record)) return "completed"; // the commit came first\n',
    by: "",
    scenario: "twoSweepers",
    violation: "a committed key is gone",
  },
  {
    rule: REMOVED,
    title: "a rotator that gives up takes it along",
    file: "rotate-key.ts",
    replace: "    if (attempt === MAX_COMMIT_ATTEMPTS) throw",
    by: "    if (attempt === MAX_COMMIT_ATTEMPTS) await store.delete(successor, successor.version);\n    if (attempt === MAX_COMMIT_ATTEMPTS) throw",
    scenario: "oneRotator",
    violation: "a committed key is gone",
  },
  {
    rule: REMOVED,
    title: "a rotator removes it when the predecessor does not name it yet",
    file: "rotate-key.ts",
    replace: "if (actual?.version !== predecessor.version) {",
    by: "if (actual !== undefined) {",
    scenario: "twoRotators",
    violation: "a committed key is gone",
  },
];
