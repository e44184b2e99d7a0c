import { CachedReads } from "../../../src/store/cache/cached-reads.js";
import type { Freshness, KeyRecord } from "../../../src/store/key-store.js";
import { PollingFeed } from "../../../src/store/mongo/polling-feed.js";
import type { Primary, SimulatedServer, Visible, Write } from "./simulated-server.js";
import type { Simulation } from "./simulation.js";

export type Network = "quick" | "uneven" | "slow" | "failing";

/** A verification, as it was answered. */
export interface Answer {
  readonly process: SimulatedProcess;
  readonly name: string;
  readonly freshness: Freshness;
  readonly askedMs: number;
  readonly answeredMs: number;
  readonly record: KeyRecord | undefined;
  /** The newest version that this process knew when it was asked: by its own writes, and by reads that were to be fresh. */
  readonly knownVersion: number;
}

export interface ProcessOptions {
  readonly simulation: Simulation;
  readonly server: SimulatedServer;
  readonly ttlMs: number;
  readonly maxStalenessMs: number;
  readonly overlapMs: number;
  readonly pollIntervalMs: number;
  readonly onAnswer: (answer: Answer) => void;
}

/** The cache and the feed of one process, with clocks and a network that may be anything. */
export class SimulatedProcess {
  /** What polls, and what everything else goes through. */
  readonly network: { polls: Network; reads: Network } = { polls: "quick", reads: "quick" };
  reads = 0;
  /** While it takes a deposed primary for the primary, and from when to when it did. */
  deposed: { readonly primary: Primary; readonly fromMs: number; readonly untilMs: number } | undefined;
  readonly #options: ProcessOptions;
  readonly #cached: CachedReads;
  readonly #feed: PollingFeed;
  readonly #known = new Map<string, number>();
  #frozenUntilMs = 0;
  #suspendedMs = 0;
  #wallByMs = 0;

  constructor(options: ProcessOptions) {
    this.#options = options;
    const { simulation, server, overlapMs } = options;
    const clock = {
      monotonicMs: () => simulation.nowMs - this.#suspendedMs,
      wallMs: () => simulation.nowMs + this.#wallByMs,
    };
    this.#cached = new CachedReads({ ...options, maxBytes: 2 ** 20, clock }, (name) => {
      this.reads += 1;
      return this.#request((primary) => server.readRecord(name, primary));
    });
    this.#feed = new PollingFeed({
      server: {
        readState: () => this.#request((primary) => server.readState(primary), "polls"),
        readChanges: (sinceMs, limit) =>
          this.#request((primary) => server.readChanges(sinceMs, limit, primary), "polls"),
      },
      listener: this.#cached,
      overlapMs,
      clock,
    });
    simulation.at(simulation.below(options.pollIntervalMs), () => this.#poll());
  }

  /** It does nothing until then; its clocks go on. */
  freeze(forMs: number): void {
    this.#frozenUntilMs = Math.max(this.#frozenUntilMs, this.#options.simulation.nowMs + forMs);
  }

  /** The machine does nothing, and its monotonic clock stands still. */
  suspend(forMs: number): void {
    if (this.#frozenUntilMs > this.#options.simulation.nowMs) return;
    this.freeze(forMs);
    this.#suspendedMs += forMs;
  }

  setWallClock(byMs: number): void {
    this.#wallByMs += byMs;
  }

  verify(name: string, freshness: Freshness): void {
    this.#awake(() => {
      const { simulation, onAnswer } = this.#options;
      const askedMs = simulation.nowMs;
      const knownVersion = this.#known.get(name) ?? 0;
      const answered = (record: KeyRecord | undefined) => {
        const answeredMs = simulation.nowMs;
        onAnswer({ process: this, name, freshness, askedMs, answeredMs, record, knownVersion });
        if (freshness !== "cached" && record !== undefined) this.#know(name, record.version);
      };
      this.#cached.read(name, freshness).then(answered, () => {});
    });
  }

  /** A write of its own: whatever becomes of it, it evicts. */
  write(name: string, write: Write, visibleAfterMs: number): void {
    this.#awake(() => {
      const evict = () => this.#cached.evict(name);
      let written: Visible | undefined;
      const acknowledged = new Promise<void>((resolve, reject) => {
        this.#request((primary) => {
          if (primary !== this.#options.server.primary) throw new Error("not the primary");
          this.#options.server.write(name, write, visibleAfterMs, (visible) => {
            written = visible;
            this.#request(() => {}).then(resolve, reject);
          });
        }).catch(reject);
      });
      acknowledged
        .then(() => {
          if (written !== undefined) this.#know(name, written.version);
        })
        .catch(() => {})
        .finally(evict);
    });
  }

  #know(name: string, version: number): void {
    this.#known.set(name, Math.max(version, this.#known.get(name) ?? 0));
  }

  #poll(): void {
    const { simulation, pollIntervalMs } = this.#options;
    const startMs = simulation.nowMs;
    const next = () => {
      const atMs = Math.max(startMs + pollIntervalMs, simulation.nowMs);
      simulation.at(atMs, () => this.#awake(() => this.#poll()));
    };
    this.#feed.poll().then(next, next);
  }

  /** The server answers at some time between the request and its reply; either may get lost. */
  #request<T>(answer: (primary: Primary) => T, what: "polls" | "reads" = "reads"): Promise<T> {
    const { simulation, server } = this.#options;
    const isLost = this.network[what] === "failing" && simulation.below(1) < 0.7;
    const isReplyLost = simulation.below(1) < 0.5;
    return new Promise((resolve, reject) => {
      const lose = () =>
        simulation.at(simulation.nowMs + this.#delayMs(what), () => this.#awake(() => reject(new Error("lost"))));
      simulation.at(simulation.nowMs + this.#delayMs(what), () => {
        if (isLost && !isReplyLost) return lose();
        const { nowMs } = simulation;
        const primary =
          this.deposed !== undefined && nowMs < this.deposed.untilMs ? this.deposed.primary : server.primary;
        try {
          const value = answer(primary);
          if (isLost) lose();
          else simulation.at(nowMs + this.#delayMs(what), () => this.#awake(() => resolve(value)));
        } catch (error) {
          simulation.at(nowMs + this.#delayMs(what), () => this.#awake(() => reject(error)));
        }
      });
    });
  }

  #delayMs(what: "polls" | "reads"): number {
    const { simulation } = this.#options;
    switch (this.network[what]) {
      case "quick":
        return simulation.below(QUICK_MS);
      case "slow":
        return simulation.below(1_500);
      default:
        return simulation.below(
          simulation.oneOf(QUICK_MS, QUICK_MS, QUICK_MS, QUICK_MS, QUICK_MS, QUICK_MS, 1_200, 12_000),
        );
    }
  }

  /** Now, or as soon as the process runs again. */
  #awake(run: () => void): void {
    const { simulation } = this.#options;
    if (simulation.nowMs >= this.#frozenUntilMs) run();
    else simulation.at(this.#frozenUntilMs, () => this.#awake(run));
  }
}

/** Longest way to the server, and back again, of a quick network. */
export const QUICK_MS = 10;
