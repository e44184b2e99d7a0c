import { ServiceError } from "../../../src/errors.js";
import type { KeyStore } from "../../../src/store/key-store.js";
import { type Effect, hear, type Reply, type StoreCall, type StoreModel, type StoreState } from "./store-model.js";

/** How a program ended: with an answer, or with the reason it was refused for. */
export type Outcome =
  | { readonly kind: "answered"; readonly answer: unknown }
  | { readonly kind: "refused"; readonly reason: string }
  /** With an error that no caller should get to see. */
  | { readonly kind: "broken"; readonly message: string };

/** Where an actor stands: the call that it waits for, or how it ended. */
export interface Position {
  readonly id: number;
  readonly call: StoreCall | undefined;
  readonly outcome: Outcome | undefined;
}

/** A place in a program. What led there are the replies that the program got, and nothing else. */
interface Place extends Position {
  readonly replies: readonly Reply[];
  readonly next: Map<number, Place>;
}

/** Calls that answer the same at every time of a schedule (nothing is that old), so that their order says nothing. */
const ALWAYS_THE_SAME: readonly (keyof KeyStore)[] = ["listSealed", "removeTombstones"];

/**
 * One caller of the service: real code, which sees the store only. It makes one call at a time, and what it does next depends
 * on the replies so far; so it is run once for each list of replies, and remembered. It must draw no other randomness and ask
 * no other clock than fixed ones.
 */
export class Actor {
  readonly name: string;
  readonly #model: StoreModel;
  readonly #program: (store: KeyStore) => Promise<unknown>;
  readonly #ends = new Map<string, Place>();
  #places = 0;
  #start: Place | undefined;

  constructor(name: string, model: StoreModel, program: (store: KeyStore) => Promise<unknown>) {
    this.name = name;
    this.#model = model;
    this.#program = program;
  }

  async start(): Promise<Position> {
    this.#start ??= await this.#run([]);
    return this.#start;
  }

  /** Where the actor stands once it has heard the reply to its call. */
  async hear(position: Position, reply: Reply): Promise<Position> {
    const place = position as Place;
    const known = place.next.get(reply.id);
    if (known !== undefined) return known;
    const next = await this.#run([...place.replies, reply]);
    place.next.set(reply.id, next);
    return next;
  }

  /** Makes the calls whose order says nothing, up to the next one that matters. */
  async settle(position: Position, state: StoreState): Promise<Position> {
    let settled = position;
    while (settled.call !== undefined && ALWAYS_THE_SAME.includes(settled.call.method)) {
      const { reply } = await this.#model.apply(state, settled.call);
      settled = await this.hear(settled, reply);
    }
    return settled;
  }

  /** Runs from start to end with nobody else at work and no fault. */
  async runAlone(state: StoreState): Promise<{ readonly state: StoreState; readonly outcome: Outcome }> {
    let position = await this.start();
    let effect: Pick<Effect, "state"> = { state };
    while (position.call !== undefined) {
      const made = await this.#model.apply(effect.state, position.call);
      position = await this.hear(position, made.reply);
      effect = made;
    }
    if (position.outcome === undefined) throw new Error(`${this.name} ended without an outcome`);
    return { state: effect.state, outcome: position.outcome };
  }

  /** Plays the replies to the program; the call after the last one stays open for good. */
  async #run(replies: readonly Reply[]): Promise<Place> {
    const played = replies.values();
    const stop = await new Promise<StoreCall | Outcome>((resolve) => {
      const perform = (method: keyof KeyStore, parameters: readonly unknown[]) => {
        const reply = played.next();
        if (!reply.done) return Promise.resolve(reply.value).then(hear);
        resolve(this.#model.call(method, parameters));
        return new Promise(() => undefined);
      };
      const store = new Proxy({} as KeyStore, {
        get:
          (_, method) =>
          (...parameters: unknown[]) =>
            perform(method as keyof KeyStore, parameters),
      });
      this.#program(store).then(
        (answer) => resolve({ kind: "answered", answer }),
        (error: unknown) => resolve(outcomeOf(error)),
      );
    });
    if ("method" in stop) return this.#createPlace(stop, undefined, replies);
    const text = JSON.stringify(stop);
    const end = this.#ends.get(text) ?? this.#createPlace(undefined, stop, []);
    this.#ends.set(text, end);
    return end;
  }

  #createPlace(call: StoreCall | undefined, outcome: Outcome | undefined, replies: readonly Reply[]): Place {
    return { id: this.#places++, call, outcome, replies, next: new Map() };
  }
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof ServiceError) return { kind: "refused", reason: error.reason };
  return { kind: "broken", message: String(error) };
}
