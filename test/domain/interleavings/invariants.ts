/**
 * What must hold at every step of every schedule. A key is *committed* when it was there from the start or another key names it
 * as its successor; the *newest* key is the end of the chain that begins with the old one.
 */
import type { KeyRecord } from "../../../src/store/key-store.js";
import { type Entry, isTombstone } from "../../store/memory-store.js";
import type { Outcome } from "./actor.js";
import type { Answer, Cast, Participant } from "./cast.js";
import { credentialOf, makerOf, START_MS } from "./domain.js";
import { GRACE_PERIOD_MS } from "./scenarios.js";
import { liveRecords, type StoreState } from "./store-model.js";

/** Every grace period is over. */
const LATER_MS = START_MS + 2 * GRACE_PERIOD_MS;

/** What was true when an actor made its first call. */
export interface StartFacts {
  readonly wasCommitted: boolean;
  /** Somebody had been told that the key is revoked. */
  readonly wasRevoked: boolean;
}

/** Of an actor that has ended. */
export interface Ended extends Participant {
  readonly outcome: Outcome;
  readonly start: StartFacts;
}

export interface Moment {
  readonly state: StoreState;
  readonly ended: readonly Ended[];
  readonly metFaults: boolean;
}

/** What the store tells a verifier; `undefined`: nothing that is wrong. */
export async function findWrongKey(cast: Cast, state: StoreState): Promise<string | undefined> {
  const records = liveRecords(state);
  const chain = findChain(cast, records);
  if (chain === undefined) return "a committed key is gone";
  const newest = chain.at(-1);
  for (const record of records) {
    const secret = credentialOf(record);
    const [now, later] = [await cast.verdict(state, secret, START_MS), await cast.verdict(state, secret, LATER_MS)];
    if (!chain.includes(record)) {
      if (now !== "not_found" || later !== "not_found") return "a key is seen that is not committed";
      continue;
    }
    if (now === "not_found" || later === "not_found") return "a committed key is not seen";
    const isRevoked = record.revocation?.reason === "key_compromise";
    if (record === newest && !isRevoked && (now !== "active" || later !== "active")) return "no key is usable";
    if (record !== newest && later === "active") return "two keys are usable";
    if (record !== newest && !isRevoked && (now === "active") !== (record.revocation?.graceEnd !== undefined)) {
      return "a replaced key is usable exactly in its grace period, and this one is not";
    }
  }
  return undefined;
}

/** The old key, its successor, and so on; `undefined` when one of them is not there. */
function findChain({ old }: Cast, records: readonly KeyRecord[]): KeyRecord[] | undefined {
  const chain: KeyRecord[] = [];
  for (let keyId: string | undefined = old.keyId; keyId !== undefined; keyId = chain.at(-1)?.successor) {
    const record = records.find((candidate) => candidate.keyId === keyId);
    if (record === undefined) return undefined;
    chain.push(record);
  }
  return chain;
}

/** What those who have ended were told, which must stay true; `undefined`: it is. */
export async function findBrokenPromise(cast: Cast, moment: Moment): Promise<string | undefined> {
  for (const ended of moment.ended) {
    const { outcome } = ended;
    const broken =
      outcome.kind === "answered"
        ? await findBrokenAnswer(cast, moment, ended, outcome.answer as Answer)
        : findWrongRefusal(moment, ended, outcome);
    if (broken !== undefined) return `${ended.actor.name}: ${broken}`;
  }
  return undefined;
}

async function findBrokenAnswer(
  cast: Cast,
  { state, metFaults }: Moment,
  { target, start }: Ended,
  answer: Answer,
): Promise<string | undefined> {
  const record = findRecord(state, target);
  switch (answer.did) {
    case "rotate": {
      if (record?.successor !== answer.record.keyId) return "the old key does not name the key that was answered";
      if (answer.old.successor !== answer.record.keyId) return "the old key that was answered names another key";
      const next = findRecord(state, answer.record.keyId);
      const isReplaced = next?.revocation !== undefined;
      const verdict = await cast.verdict(state, answer.secret, START_MS);
      return verdict === (isReplaced ? "revoked" : "active")
        ? undefined
        : "the secret that was answered does not verify";
    }
    case "revoke": {
      const verdicts = record && [START_MS, LATER_MS].map((nowMs) => cast.verdict(state, credentialOf(record), nowMs));
      if (verdicts === undefined) return "the revoked key is gone";
      return (await Promise.all(verdicts)).includes("active") ? "the revoked key verifies" : undefined;
    }
    case "update":
      return record?.name === answer.name ? undefined : "the update is lost";
    case "verify":
      if (answer.verdict === "active" && start.wasRevoked) return "the key verified after it was revoked";
      if (answer.verdict === "active" && !isCommitted(state, target)) return "the key verified before it was committed";
      if (answer.verdict === "not_found" && start.wasCommitted) return "the committed key was not found";
      if (answer.verdict === "revoked" && record?.revocation === undefined) return "the key was said to be revoked";
      return undefined;
    case "sweep":
      return answer.errors.every((reason) => reason === "UNAVAILABLE" && metFaults)
        ? undefined
        : `the sweep failed: ${answer.errors.join(", ")}`;
  }
}

function findWrongRefusal(
  { state, metFaults }: Moment,
  { actor, target, start }: Ended,
  outcome: Exclude<Outcome, { kind: "answered" }>,
): string | undefined {
  if (outcome.kind === "broken") return outcome.message;
  switch (outcome.reason) {
    case "UNAVAILABLE":
      return metFaults ? undefined : "was refused without a fault";
    case "API_KEY_NOT_FOUND":
      return start.wasCommitted ? "the committed key was not found" : undefined;
    case "CONCURRENT_CHANGE":
    case "KEY_NOT_ACTIVE": {
      const successor = findRecord(state, findRecord(state, target)?.successor);
      return successor && makerOf(successor) === actor.name ? "the rotation was refused, and happened" : undefined;
    }
    default:
      return `was refused with ${outcome.reason}`;
  }
}

export function isCommitted(state: StoreState, keyId: string | undefined): boolean {
  return liveRecords(state).some(({ successor }) => successor === keyId);
}

/** What one step did to the records; `undefined`: nothing that must not happen. */
export function findWrongChange(before: StoreState, after: StoreState): string | undefined {
  for (const [name, was] of before.entries) {
    const is = after.entries.get(name);
    if (is === was) continue;
    const violation = findWrongEntry(was, is);
    if (violation !== undefined) return violation;
  }
  return undefined;
}

function findWrongEntry(was: Entry, is: Entry | undefined): string | undefined {
  if (is === undefined || is.version !== was.version + 1) return "a version was used twice";
  if (isTombstone(was)) return undefined;
  if (was.successor !== undefined && (isTombstone(is) || is.successor !== was.successor)) return "a successor changed";
  if (isTombstone(is)) return was.pending === undefined ? "a committed key is gone" : undefined;
  if (was.revocation !== undefined && was.revocation.graceEnd === undefined && is.revocation === undefined) {
    return "a revocation was taken back";
  }
  return undefined;
}

function findRecord(state: StoreState, keyId: string | undefined): KeyRecord | undefined {
  return liveRecords(state).find((record) => record.keyId === keyId);
}
