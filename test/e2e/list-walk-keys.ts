import type { Api } from "./api.js";
import { randomRawKey } from "./cases/raw-key.js";
import type { JsonObject } from "./clients/api-client.js";
import { createRandom } from "./create-random.js";

const MAX_BATCH_KEYS = 1_000;
const SEED = 23;

export type Team = "blue" | "red";
/** What a filter may ask of a key, and a writer may change. */
export type Aspect = "existence" | "status" | "team";
/** What becomes of a key. One that is `renamed` changes all the time, and belongs into every list that it was in. */
type Role = "kept" | "renamed" | "moved" | "revoked" | "deleted";

/** A key as the test knows it. */
export interface KnownKey {
  readonly keyId: string;
  readonly rawKey: string;
  readonly actor: string;
  readonly role: Role;
  exists: boolean;
  isActive: boolean;
  team: Team;
  /** The last change of each aspect that began, as it is counted over all keys. */
  readonly changed: Record<Aspect, number>;
  /** A change has begun and was not answered yet. */
  isChanging: boolean;
}

/** Of ten keys, what becomes of each. */
const ROLES: readonly Role[] = [
  "kept",
  "renamed",
  "moved",
  "revoked",
  "deleted",
  "kept",
  "renamed",
  "kept",
  "revoked",
  "deleted",
];
export const ACTORS = ["walker-0", "walker-1"];

/** A key that is about to be imported. */
interface NewKey {
  readonly key: Pick<KnownKey, "rawKey" | "role" | "actor" | "team">;
  readonly request: JsonObject;
  /** When its import began, as changes are counted. */
  readonly began: number;
}

/** One caller that goes on changing keys, one after the other. */
interface Writer {
  steps: number;
  /** Resolves with the step after this one. */
  next: PromiseWithResolvers;
}

interface PromiseWithResolvers {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Imported keys that other callers create, rename, move to another team, revoke, delete and import again all the time, with
 * what is known of each. A key is changed by one of them only, so that no change meets another.
 */
export class ChangingKeys {
  readonly #api: Api;
  readonly #known = new Map<string, KnownKey>();
  readonly #pools: Readonly<Record<Role, KnownKey[]>> = { kept: [], renamed: [], moved: [], revoked: [], deleted: [] };
  readonly #writers = new Map<string, Writer>();
  readonly #loops: Promise<void>[] = [];
  readonly #random = createRandom(SEED);
  #made = 0;
  #changes = 0;
  #isOver = false;

  constructor(api: Api) {
    this.#api = api;
  }

  /** Imports keys of every kind that there is. */
  async importMany(count: number): Promise<void> {
    for (let done = 0; done < count; done += MAX_BATCH_KEYS) {
      const requests = Array.from({ length: Math.min(MAX_BATCH_KEYS, count - done) }, () => this.#newKey());
      const { results, failure_count: failures } = await this.#api.batchImport(requests.map(({ request }) => request));
      if (failures > 0) throw new Error(`${failures} keys were not imported`);
      for (const [index, { imported_api_key: key }] of results.entries()) {
        const made = requests[index];
        if (key !== undefined && made !== undefined) this.#learn(key.key_id, made);
      }
    }
  }

  /** Starts the callers. */
  startWriters(): void {
    this.#startWriter("create", () => this.#create());
    this.#startWriter("rename", () => this.#rename());
    this.#startWriter("move", () => this.#move());
    this.#startWriter("revoke", () => this.#revoke());
    this.#startWriter("delete", () => this.#delete());
  }

  /** Resolves when every caller has made a change since; rejects when one of them fails. */
  async everyWriterWentOn(): Promise<void> {
    await Promise.all([...this.#writers.values()].map(({ next }) => next.promise));
  }

  /** Resolves when every change that began is answered. */
  async stopWriters(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#loops);
  }

  /** Changes so far, by each caller. */
  get steps(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#writers].map(([name, { steps }]) => [name, steps]));
  }

  /** What is known at this moment. */
  snapshot(): { readonly changes: number; readonly keys: readonly KnownKey[] } {
    const keys = [...this.#known.values()].map((key) => ({ ...key, changed: { ...key.changed } }));
    return { changes: this.#changes, keys };
  }

  #startWriter(name: string, step: () => Promise<void>): void {
    const writer: Writer = { steps: 0, next: promiseWithResolvers() };
    this.#writers.set(name, writer);
    const loop = this.#write(writer, step);
    loop.catch(() => {}); // whoever waits for the writer hears of it, and in the end whoever stops it
    this.#loops.push(loop);
  }

  async #write(writer: Writer, step: () => Promise<void>): Promise<void> {
    while (!this.#isOver) {
      try {
        await step();
      } catch (error) {
        writer.next.reject(error);
        throw error;
      }
      writer.steps++;
      writer.next.resolve();
      writer.next = promiseWithResolvers();
    }
  }

  async #create(): Promise<void> {
    const made = this.#newKey();
    const { key_id } = await this.#api.importKey(made.request);
    this.#learn(key_id, made);
  }

  async #rename(): Promise<void> {
    const key = this.#pick("renamed");
    await this.#api.updateImported({ key_id: key.keyId, name: `renamed ${this.#changes}` }, "name");
  }

  async #move(): Promise<void> {
    const key = this.#pick("moved");
    const team = key.team === "blue" ? "red" : "blue";
    await this.#change(key, "team", async () => {
      await this.#api.updateImported({ key_id: key.keyId, metadata: { team } }, "metadata");
      key.team = team;
    });
  }

  async #revoke(): Promise<void> {
    const key = this.#pick("revoked");
    await this.#change(key, "status", async () => {
      await this.#api.revoke(key.keyId);
      key.isActive = false;
    });
  }

  /** A key that is deleted comes back as a new one, with the same id. */
  async #delete(): Promise<void> {
    const key = this.#pick("deleted");
    await this.#change(key, "existence", async () => {
      if (key.exists) await this.#api.deleteImported(key.keyId);
      else await this.#api.importKey(importOf(key));
      key.exists = !key.exists;
    });
  }

  #pick(role: Role): KnownKey {
    const pool = this.#pools[role];
    const key = pool[this.#random() % pool.length];
    if (key === undefined) throw new Error(`no key is ${role}`);
    return key;
  }

  async #change(key: KnownKey, aspect: Aspect, make: () => Promise<void>): Promise<void> {
    key.changed[aspect] = ++this.#changes;
    key.isChanging = true;
    await make();
    key.isChanging = false;
  }

  #newKey(): NewKey {
    const number = this.#made++;
    const key = {
      rawKey: randomRawKey(),
      role: ROLES[number % ROLES.length] ?? "kept",
      actor: ACTORS[Math.floor(number / ROLES.length) % ACTORS.length] ?? "",
      team: number % 3 === 0 ? ("blue" as const) : ("red" as const),
    } satisfies NewKey["key"];
    return { key, request: importOf(key), began: ++this.#changes };
  }

  #learn(keyId: string, { key, began }: NewKey): void {
    const changed = { existence: began, status: began, team: began };
    const known: KnownKey = { ...key, keyId, exists: true, isActive: true, changed, isChanging: false };
    this.#known.set(keyId, known);
    this.#pools[key.role].push(known);
  }
}

function importOf({ rawKey, actor, team }: NewKey["key"]): JsonObject {
  return { raw_key: rawKey, name: "key", actor_id: actor, metadata: { team } };
}

function promiseWithResolvers(): PromiseWithResolvers {
  let [resolve, reject]: [() => void, (error: unknown) => void] = [() => {}, () => {}];
  const promise = new Promise<void>((onResolve, onReject) => {
    [resolve, reject] = [onResolve, onReject];
  });
  // Whoever waits hears of it; when nobody does, the loop rejects too.
  promise.catch(() => {});
  return { promise, resolve, reject };
}
