import { writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { H2LOAD_CLIENTS, hasH2load } from "./load/h2load.js";
import { HTTP1_CONNECTIONS, http1Tool } from "./load/http1.js";
import { Mongo } from "./mongo.js";
import {
  type EmbeddedSection,
  isMongoSection,
  type MongoSection,
  type Options,
  parseOptions,
  USAGE,
} from "./options.js";
import { canPin, pinThisProcess } from "./pinned-process.js";
import { benchBatchImport } from "./sections/batch-import.js";
import { benchBatchVerify } from "./sections/batch-verify.js";
import { benchDerive } from "./sections/derive.js";
import { benchHotTokens } from "./sections/hot-tokens.js";
import { benchImportFile } from "./sections/import-file.js";
import { benchKeys } from "./sections/keys.js";
import { benchMongoCached } from "./sections/mongo-cached.js";
import { benchMongoChanges } from "./sections/mongo-changes.js";
import { benchMongoIdle } from "./sections/mongo-idle.js";
import { benchMongoImport } from "./sections/mongo-import.js";
import { benchMongoLists } from "./sections/mongo-lists.js";
import { benchMongoRevocation } from "./sections/mongo-revocation.js";
import { benchMongoVerify } from "./sections/mongo-verify.js";
import { benchMongoWorkers } from "./sections/mongo-workers.js";
import { benchNewTokens } from "./sections/new-tokens.js";
import { benchQueryFilter } from "./sections/query-filter.js";
import { benchQueryList } from "./sections/query-list.js";
import { benchStart } from "./sections/start.js";
import { benchGrpc, benchRest } from "./sections/verify.js";
import { benchWrites } from "./sections/writes.js";
import { formatTable, jsonFromRows, type Measured } from "./table.js";

type Bench = (options: Options, say: (text: string) => void) => Promise<Measured[]>;

type MongoBench = (options: Options, say: (text: string) => void, mongo: Mongo) => Promise<Measured[]>;

const BENCHES: Readonly<Record<EmbeddedSection, Bench>> = {
  grpc: benchGrpc,
  rest: benchRest,
  start: benchStart,
  writes: benchWrites,
  keys: benchKeys,
  "hot-tokens": benchHotTokens,
  "new-tokens": benchNewTokens,
  derive: benchDerive,
  "batch-verify": benchBatchVerify,
  "batch-import": benchBatchImport,
  "import-file": benchImportFile,
  "query-filter": benchQueryFilter,
  "query-list": benchQueryList,
};

const MONGO_BENCHES: Readonly<Record<MongoSection, MongoBench>> = {
  "mongo-verify": benchMongoVerify,
  "mongo-cached": benchMongoCached,
  "mongo-changes": benchMongoChanges,
  "mongo-workers": benchMongoWorkers,
  "mongo-revocation": benchMongoRevocation,
  "mongo-idle": benchMongoIdle,
  "mongo-import": benchMongoImport,
  "mongo-lists": benchMongoLists,
};

const QUIET_LOAD = 0.5;

const say = (text: string) => process.stdout.write(`${text}\n`);

const EXPLANATION = `Figures are medians of the rounds, a ratio is the median of the rounds' ratios, "rounds" their range.
"by CPU" is the ratio of calls per second of the server's CPU time: look at it when others use the machine.`;

async function main(): Promise<void> {
  const options = readOptions();
  if (options === "help") return void process.stdout.write(USAGE);
  pinThisProcess();
  describeRun(options);
  const rows = await measureSections(options);
  say(`\n${formatTable(rows)}`);
  say(EXPLANATION);
  if (options.json !== undefined) writeFileSync(options.json, jsonFromRows(rows));
}

async function measureSections(options: Options): Promise<Measured[]> {
  const rows: Measured[] = [];
  let mongo: Mongo | undefined;
  try {
    for (const section of options.sections) {
      if (!isMongoSection(section)) {
        rows.push(...(await BENCHES[section](options, say)));
        continue;
      }
      mongo ??= Mongo.open();
      rows.push(...(await MONGO_BENCHES[section](options, say, mongo)));
    }
  } finally {
    await mongo?.close();
  }
  return rows;
}

function readOptions(): ReturnType<typeof parseOptions> {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    process.exit(2);
  }
}

function describeRun({ seconds, rounds }: Options): void {
  const { connections, streams } = H2LOAD_CLIENTS;
  say(`Node ${process.version}, ${cpus().length} cores: ${cpus()[0]?.model ?? "unknown"}`);
  say(`load average ${loadavg()[0]?.toFixed(1)}: it was ${(loadavg()[0] ?? 0) < QUIET_LOAD ? "quiet" : "NOT quiet"}`);
  say(canPin ? "servers on core 0, load on core 1" : "NOT pinned to cores: taskset or a second core is missing");
  say(`${rounds} rounds of ${seconds} s in turn, after a warm-up`);
  say(`gRPC: ${hasH2load ? `h2load, ${connections} connections with ${streams} streams` : "no h2load"}`);
  say(`HTTP/1.1: ${http1Tool}, ${HTTP1_CONNECTIONS} connections`);
  say("the service is the build, by default configuration; its log, at info, goes to a file\n");
}

await main();
