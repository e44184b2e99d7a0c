import { ServiceError } from "../../src/errors.js";
import type { KeyStore } from "../../src/store/key-store.js";

export type Fault = "lost before it was applied" | "applied, and the reply lost" | "none";

/** The store, but for calls of `method`, which meet the faults in turn. */
export function withFaults(store: KeyStore, method: "insert" | "compareAndSet" | "delete", faults: Fault[]): KeyStore {
  const lost = () => new ServiceError("UNAVAILABLE", "the reply was lost");
  return new Proxy(store, {
    get(target, property) {
      const value = Reflect.get(target, property);
      if (typeof value !== "function") return value;
      if (property !== method) return value.bind(target);
      return async (...parameters: unknown[]) => {
        const fault = faults.shift() ?? "none";
        if (fault === "lost before it was applied") throw lost();
        const result = await value.apply(target, parameters);
        if (fault === "applied, and the reply lost") throw lost();
        return result;
      };
    },
  });
}
