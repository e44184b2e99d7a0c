import { NIL_TENANT_ID } from "../../../src/domain/context.js";
import { ServiceError } from "../../../src/errors.js";
import type { KeyRecord, KeyStore } from "../../../src/store/key-store.js";
import { entryName } from "../../store/memory-store.js";
import { Actor } from "./actor.js";
import { createContext, createOldKey, type Domain, START_MS } from "./domain.js";
import { StoreModel, type StoreState } from "./store-model.js";

/** Past the age from which on a pending key is swept, and before a secret that was kept for a retry is. */
const SWEEP_MS = START_MS + 61_000;

/** What a program says at its end. */
export type Answer =
  | { readonly did: "rotate"; readonly secret: string; readonly record: KeyRecord; readonly old: KeyRecord }
  | { readonly did: "revoke" }
  | { readonly did: "update"; readonly name: string }
  | { readonly did: "verify"; readonly verdict: string }
  | { readonly did: "sweep"; readonly errors: readonly string[] };

export interface Participant {
  readonly actor: Actor;
  /** Id of the key that it is about; absent for sweepers. */
  readonly target?: string;
}

/** Those who may take part in a scenario, on one store that has one key, the old one. */
export class Cast {
  readonly model = new StoreModel(() => new Date(START_MS));
  readonly old = createOldKey();
  readonly initial: StoreState = this.model.stateOf(new Map([[entryName(this.old), this.old]]));
  readonly #domain: Domain;
  readonly #verifiers = new Map<string, Actor>();

  constructor(domain: Domain) {
    this.#domain = domain;
  }

  rotator(name: string, options: { target?: string; requestId?: string; gracePeriodMs?: number; nowMs?: number } = {}) {
    const { target = this.old.keyId, requestId = "", gracePeriodMs = 0, nowMs = START_MS } = options;
    const input = { ...idOf(target), caller: "test", requestId, overrides: {}, gracePeriodMs };
    return this.#participant(name, target, async (store) => {
      const { secret, record, old } = await this.#domain.rotateKey(createContext(store, name, nowMs), input);
      if (secret === undefined) throw new Error("a rotation without a secret");
      return { did: "rotate", secret, record, old };
    });
  }

  /** A repetition of the request, after a sweep. */
  retry(requestId: string): Actor {
    return this.rotator("retry", { requestId, nowMs: SWEEP_MS }).actor;
  }

  revoker(name: string, target = this.old.keyId): Participant {
    const input = { ...idOf(target), reason: "key_compromise" as const, description: "" };
    return this.#participant(name, target, async (store) => {
      await this.#domain.revokeKey(createContext(store, name, START_MS), input);
      return { did: "revoke" };
    });
  }

  updater(name: string, target = this.old.keyId): Participant {
    const input = { ...idOf(target), kind: "issued" as const, attributes: { name }, path: "" };
    return this.#participant(name, target, async (store) => {
      await this.#domain.updateKey(createContext(store, name, START_MS), input);
      return { did: "update", name };
    });
  }

  sweeper(name: string): Participant {
    const actor = this.#actor(name, async (store) => {
      const { errors } = await this.#domain.sweep(createContext(store, name, SWEEP_MS));
      return {
        did: "sweep",
        errors: errors.map((error) => (error instanceof ServiceError ? error.reason : `${error}`)),
      };
    });
    return { actor };
  }

  verifier(name: string, { keyId, secret }: NewKey): Participant {
    return this.#participant(name, keyId, (store) => this.#verify(store, secret, START_MS));
  }

  /** The key that a rotator makes when nobody disturbs it; without a request id it makes no other. */
  async newKeyOf({ actor }: Participant): Promise<NewKey> {
    const { outcome } = await actor.runAlone(this.initial);
    const answer = outcome.kind === "answered" ? (outcome.answer as Answer) : undefined;
    if (answer?.did !== "rotate") throw new Error(`${actor.name} does not rotate`);
    return { keyId: answer.record.keyId, secret: answer.secret };
  }

  /** What a credential is worth in a state of the store, to a verifier who is not disturbed. */
  async verdict(state: StoreState, secret: string, nowMs: number): Promise<string> {
    const name = `verifier of ${secret} at ${nowMs}`;
    const verifier = this.#verifiers.get(name) ?? this.#actor(name, (store) => this.#verify(store, secret, nowMs));
    this.#verifiers.set(name, verifier);
    const { outcome } = await verifier.runAlone(state);
    if (outcome.kind !== "answered") throw new Error(`a verification failed: ${JSON.stringify(outcome)}`);
    const answer = outcome.answer as Answer;
    return answer.did === "verify" ? answer.verdict : "";
  }

  async #verify(store: KeyStore, credential: string, nowMs: number): Promise<Answer> {
    const input = { tenantId: NIL_TENANT_ID, credential, clientAddress: undefined };
    const verification = await this.#domain.verifyKey(createContext(store, "verifier", nowMs), input);
    return { did: "verify", verdict: verification.valid ? "active" : verification.failure };
  }

  #participant(name: string, target: string, program: (store: KeyStore) => Promise<Answer>): Participant {
    return { actor: this.#actor(name, program), target };
  }

  #actor(name: string, program: (store: KeyStore) => Promise<Answer>): Actor {
    return new Actor(name, this.model, program);
  }
}

export interface NewKey {
  readonly keyId: string;
  readonly secret: string;
}

function idOf(keyId: string) {
  return { tenantId: NIL_TENANT_ID, keyId };
}
