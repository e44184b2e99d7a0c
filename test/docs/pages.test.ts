/** Every page is taken at its word: its commands are run, and its settings are checked. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { runLatchkey } from "../cli/run-latchkey.js";
import { isInstalled } from "../is-installed.js";
import { MONGO_SKIPPED, mongoTestUri } from "../mongo-server.js";
import { readRepositoryFile } from "../structure/repository.js";
import { TOOLS_REQUIRED } from "../tools-required.js";
import { readBlocks } from "./page-blocks.js";
import { type Need, possibleSteps, readSteps, type Step } from "./page-steps.js";
import { STEP_PAGES } from "./pages.js";
import { PAGE_MONGODB, PAGE_TIMEOUT_MS, runPage } from "./run-page.js";
import { UNTESTED, UNTESTED_LANGUAGES } from "./untested.js";

/** Pages that begin where the README's first command has started the service. */
const WITH_SERVICE: readonly string[] = ["README.md"];
/** Pages that show no output. */
const WITHOUT_STEPS: readonly string[] = ["docs/README.md", "docs/errors.md", "docs/reference.md"];
const MONGODB_TIMEOUT = "10s";

interface Requirement extends Need {
  readonly isThere: boolean;
}

/** The steps of a page, and where they are taken. */
interface Journey {
  readonly about: string;
  readonly steps: readonly Step[];
  readonly hasService: boolean;
  readonly needs: readonly Requirement[];
  readonly storesInMongodb?: boolean;
}

const server = await mongoTestUri();
afterAll(() => server?.dispose());

const mongodb = { reason: MONGO_SKIPPED, isThere: server !== undefined };
const needs: readonly Requirement[] = [
  ...["bash", "curl"].map((program) => ({ ...programNeed(program), isNeeded: () => true })),
  ...["openssl", "grpcurl"].map(programNeed),
  { ...mongodb, isNeeded: usesMongodb },
];

const pages = STEP_PAGES.map((path) => {
  const markdown = readRepositoryFile(path);
  return { path, ...readBlocks(markdown), steps: readSteps(markdown) };
});

test("every page shows what comes of its steps, but for those that are no instructions", () => {
  const shown = ({ steps }: (typeof pages)[number]) => steps.some((step) => step.shown !== undefined);
  expect(pages.filter((page) => !shown(page)).map(({ path }) => path)).toEqual(WITHOUT_STEPS);
});

test("every block is one that is run or checked: none is indented", () => {
  expect(pages.flatMap(({ path, indented }) => indented.map((line) => `${path}: ${line}`))).toEqual([]);
});

test("what is not run is on the list, with the reason", () => {
  const found = pages.flatMap(({ path, fenced }) =>
    fenced
      .filter(({ language }) => UNTESTED_LANGUAGES.includes(language))
      .map(({ text }) => ({ page: path, firstLine: text.split("\n")[0] })),
  );
  expect(found).toEqual(UNTESTED.map(({ page, firstLine }) => ({ page, firstLine })));
});

const journeys: readonly Journey[] = [
  ...pages.map(({ path, steps }) => ({ about: path, steps, hasService: WITH_SERVICE.includes(path), needs })),
  {
    about: "README.md, with its keys in MongoDB",
    steps: readSteps(readRepositoryFile("README.md")),
    hasService: true,
    needs: [...needs, { ...mongodb, isNeeded: () => true }],
    storesInMongodb: true,
  },
];

describe.each(journeys.filter(({ steps }) => steps.length > 0))("$about", (journey) => {
  const missing = journey.needs.filter(({ isThere }) => !isThere);
  const { steps, leftOut } = possibleSteps(journey.steps, missing);
  const { storesInMongodb = false, hasService } = journey;
  const reasons = [...new Set(leftOut.values())].join("; ");
  const without = steps.length === 0 ? `, ${reasons}` : `, without ${[...leftOut.keys()].join(", ")}, ${reasons}`;

  (steps.length === 0 ? test.skip : test)(
    `goes as it is shown${leftOut.size === 0 ? "" : without}`,
    async () => {
      const needsMongodb = storesInMongodb || steps.some(({ script }) => usesMongodb(script));
      const database = needsMongodb ? await mongoTestUri() : undefined;
      const env: Record<string, string> =
        database === undefined ? {} : { LATCHKEY_STORE_MONGODB_TIMEOUT: MONGODB_TIMEOUT };
      if (storesInMongodb) env.LATCHKEY_STORE_MONGODB_URI = database?.uri ?? "";
      try {
        expect(await runPage(steps, { env, hasService, mongodbUri: database?.uri })).toEqual(steps);
      } finally {
        await database?.dispose();
      }
    },
    PAGE_TIMEOUT_MS,
  );
});

describe("settings", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "latchkey-page-settings-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const blocks = pages.flatMap(({ path, fenced }) =>
    fenced
      .filter(({ language }) => language === "yaml")
      .map(({ text, path: headings }) => ({ about: `${path}, ${headings.at(-1)}`, text })),
  );

  test("there are some", () => expect(blocks.length).toBeGreaterThan(1));

  test.each(blocks)("of $about are right", async ({ text }) => {
    const file = join(folder, "latchkey.yaml");
    writeFileSync(file, text);
    expect(await runLatchkey(["config", "check", "--config", file])).toEqual({ code: 0, out: "OK\n", err: "" });
  });
});

function usesMongodb(script: string): boolean {
  return script.includes(PAGE_MONGODB);
}

/** A program that is there when it is required, for then its absence has to be seen. */
function programNeed(program: string): Requirement {
  return {
    reason: `skipped: there is no ${program} here`,
    isNeeded: (script: string) => new RegExp(`(?:^|[|(;&]|\\s)${program} `, "m").test(script),
    isThere: TOOLS_REQUIRED || isInstalled(program),
  };
}
