import type { ServiceError } from "../errors.js";

type Listener = (reason: ServiceError) => void;

/** Why something waits no longer, told once to whoever listens. As an AbortSignal, at a tenth of its cost. */
export class Cancellation {
  #reason: ServiceError | undefined;
  /** Hardly ever is there more than one at a time, so the first has a place of its own. */
  #listener: Listener | undefined;
  #others: Set<Listener> | undefined;
  #controller: AbortController | undefined;

  /** `undefined` as long as there is no reason to stop. */
  get reason(): ServiceError | undefined {
    return this.#reason;
  }

  /** The same for libraries that want a signal; made when it is first asked for. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  throwIfCancelled(): void {
    if (this.#reason !== undefined) throw this.#reason;
  }

  /** Only the first reason counts. */
  cancel(reason: ServiceError): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
    this.#listener?.(reason);
    for (const listener of this.#others ?? []) listener(reason);
    this.#listener = undefined;
    this.#others = undefined;
  }

  add(listener: Listener): void {
    if (this.#listener === undefined) {
      this.#listener = listener;
      return;
    }
    this.#others ??= new Set();
    this.#others.add(listener);
  }

  remove(listener: Listener): void {
    if (this.#listener === listener) this.#listener = undefined;
    else this.#others?.delete(listener);
  }
}
