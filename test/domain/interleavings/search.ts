/**
 * Searches every schedule of a scenario: which actor's call is made next, and what becomes of it.
 *
 *     step = an actor's call is made, and it hears the answer
 *          | an actor's write is unknown: it hears UNAVAILABLE, and the write is under way from now on
 *          | an actor's write is made, it hears the answer, and a copy of the write is under way
 *          | an actor's read fails: it hears UNAVAILABLE
 *          | a write that is under way is made
 *
 * All but the first and the last are faults. A write that is under way may be made at once (its reply was lost), at any later
 * step (it was delayed), or never (it was lost). An actor that crashed is one that takes no more steps: so after every step
 * everybody may stop, a sweeper passes over what they left, and writes that are under way arrive before and after it. With
 * that, any number of actors may crash.
 *
 * What can follow depends on the store, on where each actor stands and on what is under way, and not on how that came about:
 * what schedules have in common is looked at once.
 */
import type { Actor, Position } from "./actor.js";
import type { Answer, Cast, Participant } from "./cast.js";
import {
  type Ended,
  findBrokenPromise,
  findWrongChange,
  findWrongKey,
  isCommitted,
  type StartFacts,
} from "./invariants.js";
import type { Scenario } from "./scenarios.js";
import { isSpent, isWrite, liveRecords, type StoreCall, type StoreState, UNAVAILABLE } from "./store-model.js";

export interface SearchReport {
  /** How many states were looked at that differ. */
  readonly states: number;
  /** How many schedules lead through them, each to a point where nobody can go on. */
  readonly schedules: number;
  /** The first violation, and the steps that lead to it. */
  readonly violation?: { readonly what: string; readonly steps: readonly string[] };
}

type Fate = "is answered" | "is unknown" | "is answered, and comes again" | "fails";

interface Acting extends Participant {
  readonly position: Position;
  /** Set with its first call. */
  readonly start: StartFacts | undefined;
}

interface State {
  readonly store: StoreState;
  readonly actors: readonly Acting[];
  readonly underWay: readonly StoreCall[];
  readonly faultsLeft: number;
}

interface Step {
  readonly call: StoreCall;
  /** Whose call it is, and what becomes of it; absent for a write that was under way. */
  readonly by?: { readonly actor: Acting; readonly fate: Fate };
}

/** A state on the way to the one that is looked at. */
interface Frame {
  readonly state: State;
  readonly key: string;
  /** Those that were not taken yet. */
  readonly steps: Step[];
  /** The one that was taken last. */
  step?: Step;
  schedules: number;
}

export async function search(cast: Cast, scenario: Scenario): Promise<SearchReport> {
  return new Search(cast, scenario).run();
}

const STARTED_AFTER_ALL: StartFacts = { wasCommitted: true, wasRevoked: false };

class Violation extends Error {}

class Search {
  readonly #cast: Cast;
  readonly #scenario: Scenario;
  readonly #sweeper: Actor;
  readonly #retry: Actor | undefined;
  /** Schedules that lead on from each state. */
  readonly #seen = new Map<string, number>();
  readonly #seenEnds = new Set<string>();
  readonly #checked = new Set<string>();

  constructor(cast: Cast, scenario: Scenario) {
    this.#cast = cast;
    this.#scenario = scenario;
    this.#sweeper = cast.sweeper("last sweeper").actor;
    this.#retry = scenario.retry?.(cast);
  }

  async run(): Promise<SearchReport> {
    const frames: Frame[] = [];
    let schedules = 0;
    try {
      frames.push(await this.#enter(await this.#initial()));
      for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
        const step = frame.steps.pop();
        if (step === undefined) {
          frames.pop();
          this.#seen.set(frame.key, frame.schedules);
          const parent = frames.at(-1);
          if (parent === undefined) schedules = frame.schedules;
          else parent.schedules += frame.schedules;
          continue;
        }
        frame.step = step;
        const next = await this.#take(frame.state, step);
        const known = this.#seen.get(keyOf(next));
        if (known !== undefined) frame.schedules += known;
        else frames.push(await this.#enter(next));
      }
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      const steps = frames.flatMap(({ step }) => (step ? [describe(step)] : []));
      return { states: this.#seen.size, schedules, violation: { what: error.message, steps } };
    }
    return { states: this.#seen.size, schedules };
  }

  async #initial(): Promise<State> {
    const participants = await this.#scenario.participants(this.#cast);
    const actors = participants.map(async (participant) => {
      return { ...participant, position: await participant.actor.start(), start: undefined };
    });
    const faultsLeft = this.#scenario.faults;
    return { store: this.#cast.initial, actors: await Promise.all(actors), underWay: [], faultsLeft };
  }

  async #enter(state: State): Promise<Frame> {
    await this.#check(state);
    const steps = stepsFrom(state);
    return { state, key: keyOf(state), steps, schedules: steps.length === 0 ? 1 : 0 };
  }

  async #take(state: State, { call, by }: Step): Promise<State> {
    if (by === undefined) {
      const { state: store } = await this.#apply(state.store, call);
      return { ...state, store, underWay: keepLive(store, without(state.underWay, call)) };
    }
    const { actor, fate } = by;
    const isHeard = fate === "is answered" || fate === "is answered, and comes again";
    const comesLater = fate === "is unknown" || fate === "is answered, and comes again";
    const made = isHeard ? await this.#apply(state.store, call) : { state: state.store, reply: UNAVAILABLE };
    const heard = await actor.actor.hear(actor.position, made.reply);
    const position = await actor.actor.settle(heard, made.state);
    const start = actor.start ?? this.#startFacts(state, actor);
    return {
      store: made.state,
      actors: state.actors.map((other) => (other === actor ? { ...actor, start, position } : other)),
      underWay: keepLive(made.state, comesLater ? [...state.underWay, call] : state.underWay),
      faultsLeft: state.faultsLeft - (fate === "is answered" ? 0 : 1),
    };
  }

  async #apply(store: StoreState, call: StoreCall) {
    const made = await this.#cast.model.apply(store, call);
    refuse(findWrongChange(store, made.state));
    return made;
  }

  #startFacts(state: State, { target }: Acting): StartFacts {
    return {
      wasCommitted: target === this.#cast.old.keyId || isCommitted(state.store, target),
      wasRevoked: state.actors.some(({ position: { outcome }, ...other }) => {
        return other.target === target && outcome?.kind === "answered" && (outcome.answer as Answer).did === "revoke";
      }),
    };
  }

  async #check(state: State): Promise<void> {
    const { store, actors, underWay, faultsLeft } = state;
    const metFaults = faultsLeft < this.#scenario.faults;
    const ends = actors.map(({ position, start }) => (position.outcome ? `${position.id}${keyOfStart(start)}` : ""));
    const key = `${ends.join()} ${metFaults}`;
    if (this.#seenEnds.has(keyOfEnd(store, underWay, key))) return;
    const ended = actors.flatMap(({ position: { outcome }, start, ...participant }) =>
      outcome && start ? [{ ...participant, outcome, start }] : [],
    );
    await this.#checkEnd(store, underWay, { ended, metFaults, key });
  }

  /** Everybody stops here. */
  async #checkEnd(store: StoreState, underWay: readonly StoreCall[], promises: Promises): Promise<void> {
    const key = keyOfEnd(store, underWay, promises.key);
    if (this.#seenEnds.has(key)) return;
    this.#seenEnds.add(key);
    await this.#checkStore(store, promises);
    const once = await this.#sweep(store);
    await this.#checkStore(once, promises);
    // A key that a pass itself changed, it leaves to the next one.
    const swept = await this.#sweep(once);
    await this.#checkStore(swept, promises);
    refuse(liveRecords(swept).some(({ pending }) => pending) ? "a pending key is left" : undefined);
    await this.#checkRetry(swept, promises);
    for (const call of keepLive(swept, underWay)) {
      const { state: late } = await this.#apply(swept, call);
      await this.#checkEnd(late, keepLive(late, without(underWay, call)), promises);
    }
  }

  async #sweep(store: StoreState): Promise<StoreState> {
    const { state, outcome } = await this.#sweeper.runAlone(store);
    const errors = outcome.kind === "answered" ? (outcome.answer as Answer & { did: "sweep" }).errors : [outcome.kind];
    refuse(errors.length === 0 ? undefined : `the last sweeper failed: ${errors.join(", ")}`);
    return state;
  }

  async #checkRetry(store: StoreState, promises: Promises): Promise<void> {
    if (this.#retry === undefined) return;
    const { state, outcome } = await this.#retry.runAlone(store);
    refuse(outcome.kind === "answered" ? undefined : `the retry: ${JSON.stringify(outcome)}`);
    const retry = { actor: this.#retry, target: this.#cast.old.keyId, outcome, start: STARTED_AFTER_ALL };
    await this.#checkStore(state, { ...promises, ended: [...promises.ended, retry], key: `${promises.key} retry` });
  }

  async #checkStore(state: StoreState, { ended, metFaults, key }: Promises): Promise<void> {
    if (this.#isNew(`store ${state.id}`)) refuse(await findWrongKey(this.#cast, state));
    const isNew = this.#isNew(`promises ${state.id} ${key}`);
    if (isNew) refuse(await findBrokenPromise(this.#cast, { state, ended, metFaults }));
  }

  #isNew(key: string): boolean {
    if (this.#checked.has(key)) return false;
    this.#checked.add(key);
    return true;
  }
}

/** What those who have ended were told. */
interface Promises {
  readonly ended: readonly Ended[];
  readonly metFaults: boolean;
  /** Equal for equal ones. */
  readonly key: string;
}

function refuse(violation: string | undefined): void {
  if (violation !== undefined) throw new Violation(violation);
}

function stepsFrom({ actors, underWay, store, faultsLeft }: State): Step[] {
  const steps: Step[] = underWay.map((call) => ({ call }));
  for (const actor of actors) {
    const { call } = actor.position;
    if (call === undefined) continue;
    const fates = faultsLeft === 0 ? WITHOUT_FAULT : fatesOf(call, store);
    for (const fate of fates) steps.push({ call, by: { actor, fate } });
  }
  return steps;
}

const WITHOUT_FAULT: readonly Fate[] = ["is answered"];

function fatesOf(call: StoreCall, store: StoreState): readonly Fate[] {
  if (!isWrite(call)) return ["is answered", "fails"];
  // A compare-and-set that comes again meets the version that it made, or one that it did not match before.
  const comesAgain: Fate[] = call.method === "insert" ? ["is answered, and comes again"] : [];
  return ["is answered", isSpent(store, call) ? "fails" : "is unknown", ...comesAgain];
}

/** Without the writes that can never do anything any more. */
function keepLive(store: StoreState, underWay: readonly StoreCall[]): readonly StoreCall[] {
  if (underWay.length === 0) return underWay;
  return underWay.filter((call) => !isSpent(store, call)).sort((a, b) => a.id - b.id);
}

function keyOf({ store, actors, underWay, faultsLeft }: State): string {
  const places = actors.map(({ position, start }) => `${position.id}${keyOfStart(start)}`).join();
  return `${store.id};${places};${underWay.map(({ id }) => id).join()};${faultsLeft}`;
}

function keyOfEnd(store: StoreState, underWay: readonly StoreCall[], promises: string): string {
  return `${store.id};${underWay.map(({ id }) => id).join()};${promises}`;
}

function keyOfStart(start: StartFacts | undefined): string {
  if (start === undefined) return "";
  return start.wasCommitted ? (start.wasRevoked ? "d" : "c") : start.wasRevoked ? "b" : "a";
}

/** All but one of these calls. */
function without(calls: readonly StoreCall[], call: StoreCall): readonly StoreCall[] {
  const index = calls.indexOf(call);
  return calls.filter((_, other) => other !== index);
}

/** Short: a key by the end of its id. */
function describe({ call, by }: Step): string {
  const [first, ...rest] = call.parameters;
  const key = typeof first === "object" && first !== null && "keyId" in first ? String(first.keyId).slice(-4) : "";
  const text = [call.method, key, ...rest.map((parameter) => JSON.stringify(parameter))].filter(Boolean).join(" ");
  return by === undefined ? `${text} arrives` : `${by.actor.actor.name}: ${text} ${by.fate}`;
}
