import { resolve } from "node:path";
import { parseArgs } from "node:util";

const EMBEDDED_SECTIONS = [
  "grpc",
  "rest",
  "start",
  "writes",
  "keys",
  "hot-tokens",
  "new-tokens",
  "derive",
  "batch-verify",
  "batch-import",
  "import-file",
  "query-filter",
  "query-list",
] as const;
/** Those that need a MongoDB server. */
const MONGO_SECTIONS = [
  "mongo-verify",
  "mongo-cached",
  "mongo-changes",
  "mongo-workers",
  "mongo-revocation",
  "mongo-idle",
  "mongo-import",
  "mongo-lists",
] as const;
export type EmbeddedSection = (typeof EMBEDDED_SECTIONS)[number];
export type MongoSection = (typeof MONGO_SECTIONS)[number];
export type Section = EmbeddedSection | MongoSection;

export function isMongoSection(section: Section): section is MongoSection {
  return MONGO_SECTIONS.some((candidate) => candidate === section);
}

/** Names for several. */
const GROUPS: Readonly<Record<string, readonly Section[]>> = {
  verify: ["grpc", "rest"],
  tokens: ["hot-tokens", "new-tokens", "derive"],
  batch: ["batch-verify", "batch-import", "import-file"],
  query: ["query-filter", "query-list"],
};

export interface Options {
  readonly sections: readonly Section[];
  /** Length of one measurement. */
  readonly seconds: number;
  /** Measurements of each contestant. */
  readonly rounds: number;
  /** Where the rows go as JSON. */
  readonly json?: string | undefined;
  /** Where the service, and loops that it is compared with, leave CPU profiles: an absolute path. The figures of such a run are lower. */
  readonly cpuProf?: string | undefined;
}

/** What `--store` names. */
const STORES: Readonly<Record<string, readonly Section[]>> = { embedded: EMBEDDED_SECTIONS, mongodb: MONGO_SECTIONS };
const ALL_SECTIONS: readonly Section[] = [...EMBEDDED_SECTIONS, ...MONGO_SECTIONS];
const NAMES = [...ALL_SECTIONS, ...Object.keys(GROUPS)].join(", ");

export const USAGE = `npm run bench -- [options]
  --store NAME    embedded (the default) or mongodb: which sections are run
  --only NAME     one of ${NAMES}; several with commas
  --seconds N     length of one measurement (default 5; with --quick 1)
  --rounds N      measurements of each contestant, 3 or more (default 5; with --quick 3)
  --quick         short and noisy
  --json FILE     write the rows {name, ours, reference, ratio, target}
  --cpu-prof DIR  let the service write CPU profiles to DIR; read them with bench/top-of-profile.mjs
`;

const LEAST_ROUNDS = 3;

/** Throws an error that says what is wrong with the command line. */
export function parseOptions(words: readonly string[]): Options | "help" {
  const { values } = parseArgs({
    args: [...words],
    options: {
      store: { type: "string", default: "embedded" },
      only: { type: "string" },
      seconds: { type: "string" },
      rounds: { type: "string" },
      quick: { type: "boolean", default: false },
      json: { type: "string" },
      "cpu-prof": { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  return {
    sections: values.only === undefined ? parseStore(values.store) : values.only.split(",").flatMap(parseSections),
    seconds: parseCount("--seconds", values.seconds ?? (values.quick ? "1" : "5"), 1),
    rounds: parseCount("--rounds", values.rounds ?? (values.quick ? "3" : "5"), LEAST_ROUNDS),
    json: values.json,
    cpuProf: values["cpu-prof"] && resolve(values["cpu-prof"]),
  };
}

function parseStore(name: string): readonly Section[] {
  const sections = STORES[name];
  if (sections === undefined) throw new Error(`--store: "${name}" is none of ${Object.keys(STORES).join(", ")}`);
  return sections;
}

function parseSections(name: string): readonly Section[] {
  const sections = GROUPS[name] ?? ALL_SECTIONS.filter((candidate) => candidate === name);
  if (sections.length === 0) throw new Error(`--only: "${name}" is none of ${NAMES}`);
  return sections;
}

function parseCount(option: string, text: string, least: number): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < least) throw new Error(`${option}: must be a whole number from ${least}`);
  return count;
}
