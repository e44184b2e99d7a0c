import type { KeyStore } from "../../src/store/key-store.js";

/** The store, but for the methods that are given. */
export function withMethods(store: KeyStore, methods: Partial<KeyStore>): KeyStore {
  return new Proxy(store, {
    get(target, property) {
      const value = Reflect.get(methods, property) ?? Reflect.get(target, property);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
