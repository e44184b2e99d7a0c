import type { KeyStore } from "../../src/store/key-store.js";

export interface CountedStore {
  readonly store: KeyStore;
  /** How often the method was called so far. */
  count(method: keyof KeyStore): number;
}

/** The same store, which counts the calls of its methods. */
export function countCalls(store: KeyStore): CountedStore {
  const counts = new Map<PropertyKey, number>();
  const counted = new Proxy(store, {
    get(target, property) {
      const value = Reflect.get(target, property);
      if (typeof value !== "function") return value;
      return (...parameters: unknown[]) => {
        counts.set(property, (counts.get(property) ?? 0) + 1);
        return value.apply(target, parameters);
      };
    },
  });
  return { store: counted, count: (method) => counts.get(method) ?? 0 };
}
