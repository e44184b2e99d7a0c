import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEmbeddedStore } from "../../src/store/embedded/open-embedded-store.js";
import { describeKeyStore } from "./conformance.js";

describeKeyStore("embedded store", async () => {
  const parent = mkdtempSync(join(tmpdir(), "latchkey-store-"));
  return {
    open: () => openEmbeddedStore({ directory: join(parent, "new.dir", "store") }),
    async dispose() {
      rmSync(parent, { recursive: true, force: true });
    },
  };
});
