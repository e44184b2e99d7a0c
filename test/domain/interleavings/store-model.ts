/**
 * The states that a store can be in, and what each call makes of them. Calls are the real `MemoryStore`'s; what one did to a
 * state is remembered, so that each is made once, however many schedules come by. Whatever is equal has one number.
 */
import { ServiceError } from "../../../src/errors.js";
import type { KeyId, KeyRecord, KeyStore } from "../../../src/store/key-store.js";
import { createTables, type Entry, entryName, isTombstone, MemoryStore } from "../../store/memory-store.js";

/** A call of a `KeyStore`, not yet made. */
export interface StoreCall {
  readonly id: number;
  readonly method: keyof KeyStore;
  readonly parameters: readonly unknown[];
}

/** What a call came to: equal answers have one id. */
export interface Reply {
  readonly id: number;
  /** Undefined as well when the store was `UNAVAILABLE`. */
  readonly value: unknown;
}

/** The reply to a call of which the caller does not hear: it was made, it will be, or it never is. */
export const UNAVAILABLE: Reply = { id: -1, value: undefined };

export interface StoreState {
  readonly id: number;
  /** By `entryName`. Equal entries of two states are the same object. */
  readonly entries: ReadonlyMap<string, Entry>;
}

export interface Effect {
  readonly state: StoreState;
  readonly reply: Reply;
}

export class StoreModel {
  readonly #calls = new Map<string, StoreCall>();
  readonly #replies = new Map<string, Reply>();
  readonly #entries = new Map<string, Entry>();
  readonly #states = new Map<string, StoreState>();
  readonly #effects = new Map<string, Effect>();
  readonly #clock: () => Date;

  /** `clock` dates tombstones. */
  constructor(clock: () => Date) {
    this.#clock = clock;
  }

  call(method: keyof KeyStore, parameters: readonly unknown[]): StoreCall {
    return intern(this.#calls, JSON.stringify([method, parameters]), (id) => ({ id, method, parameters }));
  }

  stateOf(entries: ReadonlyMap<string, Entry>): StoreState {
    const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
    return intern(this.#states, JSON.stringify(sorted), (id) => ({ id, entries: this.#internEntries(sorted) }));
  }

  /** The store after the call, and what the call answers. */
  async apply(state: StoreState, call: StoreCall): Promise<Effect> {
    const key = `${state.id} ${call.id}`;
    const known = this.#effects.get(key);
    if (known !== undefined) return known;
    const tables = { ...createTables(), keys: new Map(state.entries) };
    const value = await invoke(new MemoryStore(tables, this.#clock), call);
    const reply = intern(this.#replies, JSON.stringify([value]), (id) => ({ id, value }));
    const effect = { state: this.stateOf(tables.keys), reply };
    this.#effects.set(key, effect);
    return effect;
  }

  #internEntries(entries: readonly (readonly [string, Entry])[]): ReadonlyMap<string, Entry> {
    const interned = entries.map(([name, entry]) => {
      return [name, intern(this.#entries, JSON.stringify([name, entry]), () => entry)] as const;
    });
    return new Map(interned);
  }
}

export function isWrite({ method }: StoreCall): boolean {
  return method === "insert" || method === "compareAndSet" || method === "delete";
}

/** Whether a write can never match any more: its version is past, and versions only grow. */
export function isSpent({ entries }: StoreState, { method, parameters }: StoreCall): boolean {
  if (method === "insert") return false;
  const [id, version] = parameters as [KeyId, number];
  const entry = entries.get(entryName(id));
  return entry !== undefined && (isTombstone(entry) || entry.version > version);
}

/** Every key that is there. */
export function liveRecords({ entries }: StoreState): KeyRecord[] {
  return [...entries.values()].filter((entry): entry is KeyRecord => !isTombstone(entry));
}

/** What a caller gets for a reply. Throws UNAVAILABLE. */
export function hear(reply: Reply): unknown {
  if (reply === UNAVAILABLE) throw new ServiceError("UNAVAILABLE", "the reply was lost");
  return reply.value;
}

function invoke(store: KeyStore, { method, parameters }: StoreCall): Promise<unknown> {
  const run = Reflect.get(store, method) as (...parameters: readonly unknown[]) => Promise<unknown>;
  return run.apply(store, [...parameters]);
}

function intern<T>(known: Map<string, T>, text: string, create: (id: number) => T): T {
  const found = known.get(text) ?? create(known.size);
  known.set(text, found);
  return found;
}
