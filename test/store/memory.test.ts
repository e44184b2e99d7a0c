import { describeKeyStore } from "./conformance.js";
import { createTables, MemoryStore } from "./memory-store.js";

/** What is searched with this store says something of the others only if it keeps their contract. */
describeKeyStore("store in memory", async () => {
  const tables = createTables();
  return {
    open: async () => new MemoryStore(tables),
    dispose: async () => undefined,
  };
});
