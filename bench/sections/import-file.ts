import { importFileContestant } from "../load/import-file-load.js";
import { BATCH, importContestant } from "../load/import-load.js";
import { createPoster } from "../load/post.js";
import type { Options } from "../options.js";
import { measureRounds } from "../rounds.js";
import { comparedRow, type Measured } from "../table.js";
import { withServers } from "../with-servers.js";

const LOAD = { batchesPerSecond: 10, callers: 4 };
const TARGET = 0.5;

/** `latchkey keys import-file`, from the start of the process to its end, against imports of as many keys in batches over REST. */
export function benchImportFile(options: Options, say: (text: string) => void): Promise<Measured[]> {
  return withServers(options, async ({ service, work }) => {
    const keys = options.seconds * LOAD.batchesPerSecond * BATCH;
    say(`import-file: rounds of ${keys.toLocaleString("en-US")} keys`);
    const poster = createPoster(service, LOAD.callers);
    try {
      const figures = await measureRounds(
        [importFileContestant(service, work, LOAD, options), importContestant(service, poster.post, LOAD)],
        options,
      );
      const name = "import-file to batchImport over REST, keys/s";
      return [comparedRow(name, figures.get("file"), figures.get("service"), TARGET)];
    } finally {
      poster.close();
    }
  });
}
