import type { ServiceError } from "../errors.js";

/** Why something waits no longer, told once to whoever listens. As an AbortSignal, at a tenth of its cost. */
export class Cancellation {
  #reason: ServiceError | undefined;
  #listeners: Set<(reason: ServiceError) => void> | undefined;
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
    for (const listener of this.#listeners ?? []) listener(reason);
    this.#listeners = undefined;
  }

  add(listener: (reason: ServiceError) => void): void {
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
  }

  remove(listener: (reason: ServiceError) => void): void {
    this.#listeners?.delete(listener);
  }
}
