import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClassifier } from "../../src/credentials/classify.js";
import { type DomainContext, issuedPrefixes, type KeySettings, NIL_TENANT_ID } from "../../src/domain/context.js";
import { type IssueKeyInput, issueKey } from "../../src/domain/issue-key.js";
import { verifyKey } from "../../src/domain/verify-key.js";
import { openEmbeddedStore } from "../../src/store/embedded/open-embedded-store.js";

const START_MS = Date.UTC(2026, 0, 1);

/** A domain on a real store, whose clock and randomness the test decides. */
export interface Fixture extends DomainContext {
  /** Moves the clock. */
  advance(ms: number): void;
  dispose(): Promise<void>;
}

export async function createFixture(settings: Partial<KeySettings> = {}): Promise<Fixture> {
  const directory = await mkdtemp(join(tmpdir(), "latchkey-domain-"));
  const store = await openEmbeddedStore({ directory });
  let nowMs = START_MS;
  let draws = 0;
  return {
    store,
    clock: () => new Date(nowMs),
    randomBytes: (length) => createHash("shake256", { outputLength: length }).update(`draw ${draws++}`).digest(),
    ...withKeys(settings),
    advance: (ms) => {
      nowMs += ms;
    },
    dispose: async () => {
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
}

/** The parts of a context that depend on the key settings. */
export function withKeys(settings: Partial<KeySettings>): Pick<DomainContext, "keys" | "classify"> {
  const keys = { prefix: "lk", retiredPrefixes: [], maxTtlMs: 315_360_000_000, ...settings };
  return { keys, classify: createClassifier(issuedPrefixes(keys)) };
}

export const tenantId = NIL_TENANT_ID;

export function issue(context: DomainContext, input: Partial<IssueKeyInput> = {}) {
  return issueKey(context, { tenantId, name: "demo", actorId: "me", scopes: [], visibility: "secret", ...input });
}

/** The verdict on a credential: `active`, or why it is refused. */
export async function verdict(context: DomainContext, credential: string, clientAddress?: string): Promise<string> {
  const verification = await verifyKey(context, { tenantId, credential, clientAddress });
  return verification.valid ? "active" : verification.failure;
}
