import type { Change } from "../../../src/store/cache/change-feed.js";
import type { ReadRecord } from "../../../src/store/cache/record-cache.js";
import type { ServerState } from "../../../src/store/mongo/polling-feed.js";
import { sampleRecord } from "../sample-record.js";
import type { Simulation } from "./simulation.js";

export type Write = "change" | "delete" | "import";

interface StoredKey {
  readonly version: number;
  readonly isDeleted: boolean;
  readonly changedAtMs: number | undefined;
}

/** What was visible under a name, from then on. */
export interface Visible {
  readonly fromMs: number;
  readonly version: number;
  readonly isDeleted: boolean;
}

/** A database with one primary at a time. Writes are stamped when they begin and become visible later. */
export class SimulatedServer {
  /** Of each key all that was ever visible, in order. */
  readonly history = new Map<string, Visible[]>();
  /** Polls find so much that they cannot hold it. */
  isFlooded = false;
  readonly #simulation: Simulation;
  readonly #underWay = new Set<string>();
  #primary: Primary;
  #elections = 0;

  constructor(simulation: Simulation, names: readonly string[]) {
    this.#simulation = simulation;
    const keys = new Map(names.map((name) => [name, { version: 1, isDeleted: false, changedAtMs: undefined }]));
    this.#primary = { identity: "primary 0", clockMs: EPOCH_MS, keys };
    for (const name of names)
      this.history.set(name, [{ fromMs: Number.NEGATIVE_INFINITY, version: 1, isDeleted: false }]);
  }

  get primary(): Primary {
    return this.#primary;
  }

  setClock(byMs: number): void {
    this.#primary = { ...this.#primary, clockMs: this.#primary.clockMs + byMs };
  }

  /** Another primary, with its own clock. Who still talks to the earlier one gets answers, and none of them is news. */
  failOver(clockByMs: number, isSilent = false): Primary {
    const deposed = { ...this.#primary, keys: new Map(this.#primary.keys) };
    if (!isSilent) this.#elections += 1;
    this.setClock(clockByMs);
    this.#primary = { ...this.#primary, identity: `primary ${this.#elections}` };
    return deposed;
  }

  /** Begins a write, one at a time for each key. `onVisible` hears of it when everybody can read it. */
  write(name: string, write: Write, visibleAfterMs: number, onVisible: (visible: Visible) => void = () => {}): void {
    const before = this.#primary.keys.get(name);
    if (before === undefined || this.#underWay.has(name) || before.isDeleted !== (write === "import")) return;
    this.#underWay.add(name);
    const changedAtMs = Math.floor(this.#simulation.nowMs + this.#primary.clockMs);
    this.#simulation.at(this.#simulation.nowMs + visibleAfterMs, () => {
      this.#underWay.delete(name);
      const after = { version: before.version + 1, isDeleted: write === "delete", changedAtMs };
      this.#primary.keys.set(name, after);
      const visible = { fromMs: this.#simulation.nowMs, version: after.version, isDeleted: after.isDeleted };
      this.history.get(name)?.push(visible);
      onVisible(visible);
    });
  }

  readState(primary = this.#primary): ServerState {
    return { timeMs: Math.floor(this.#simulation.nowMs + primary.clockMs), identity: primary.identity };
  }

  readRecord(name: string, primary = this.#primary): ReadRecord | undefined {
    const key = primary.keys.get(name);
    if (key === undefined || key.isDeleted) return undefined;
    return { record: { ...RECORD, keyId: name, version: key.version }, changedAtMs: key.changedAtMs };
  }

  readChanges(sinceMs: number, limit: number, primary = this.#primary): Change[] {
    if (this.isFlooded)
      return Array.from({ length: limit }, () => ({ name: "other", version: 1, changedAtMs: sinceMs }));
    return [...primary.keys].flatMap(([name, { version, changedAtMs }]) => {
      return changedAtMs === undefined || changedAtMs < sinceMs ? [] : { name, version, changedAtMs };
    });
  }
}

export interface Primary {
  readonly identity: string;
  /** Its clock's time when the simulation began. */
  readonly clockMs: number;
  readonly keys: Map<string, StoredKey>;
}

const EPOCH_MS = Date.UTC(2026, 0, 1);
const RECORD = sampleRecord();
