import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, expect, test } from "@jest/globals";
import { MONGO_SKIPPED, mongoTestUri } from "../mongo-server.js";
import { asShown, readPage, readSection, readSteps, type Step } from "./readme-blocks.js";
import { cleanEnvironment, startTourService, type TourService } from "./tour-service.js";

const run = promisify(execFile);
const README_URL = "http://127.0.0.1:4420";
/** Between the outputs of two steps. */
const MARK = "-- next step --";
const TIMEOUT_MS = 120_000;

const tour = readSection(readPage("README.md"), "Tour");
const missing = ["bash", "curl"].filter((program) => !isInstalled(program));
const toolsRequired = process.env.LATCHKEY_TEST_REQUIRE_TOOLS === "true";
/** The step that uses grpcurl is left out where there is none. */
const tourSteps = readSteps(tour).filter(
  ({ script }) => toolsRequired || !script.startsWith("grpcurl ") || isInstalled("grpcurl"),
);
/** A page of its own goes on from the tour's first step, which says where the service is. */
const tokenSteps = [...tourSteps.slice(0, 1), ...readSteps(readPage("docs/tokens.md"))];
const journeys = [
  { page: "the tour of README.md", steps: tourSteps, leastAnswers: 22 },
  { page: "docs/tokens.md", steps: tokenSteps, leastAnswers: 12 },
];

test("the tour says where the service is", () => {
  expect(tour).toContain(README_URL);
});

test.each(journeys)("$page shows calls and their answers", ({ steps, leastAnswers }) => {
  expect(steps.filter((step) => "expected" in step).length).toBeGreaterThanOrEqual(leastAnswers);
});

const testTour = missing.length > 0 && !toolsRequired ? test.skip : test;
const skipped = missing.length > 0 ? `, skipped: there is no ${missing.join(" and no ")} here` : "";

testTour.each(journeys)(
  `$page goes as it is shown, on the embedded store${skipped}`,
  async ({ steps }) => {
    expect(await takeSteps(steps, {})).toEqual(steps);
  },
  TIMEOUT_MS,
);

const server = await mongoTestUri();
const testMongo = server === undefined ? test.skip : testTour;

/** One page: the next one would come with another pepper, which the store refuses. */
testMongo(
  `the tour goes as it is shown, on MongoDB${server === undefined ? `, ${MONGO_SKIPPED}` : skipped}`,
  async () => {
    const settings = { LATCHKEY_STORE_MONGODB_URI: server?.uri ?? "", LATCHKEY_STORE_MONGODB_TIMEOUT: "10s" };
    expect(await takeSteps(tourSteps, settings)).toEqual(tourSteps);
  },
  TIMEOUT_MS,
);

afterAll(() => server?.dispose());

/** The answers of a service with these settings, in a process of its own that must end well. */
async function takeSteps(steps: readonly Step[], settings: Readonly<Record<string, string>>): Promise<Step[]> {
  const service = await startTourService(settings);
  let exitCode: number | null;
  let answers: Step[];
  try {
    answers = await runSteps(steps, service);
  } finally {
    exitCode = await service.stop();
  }
  expect(exitCode).toBe(0);
  return answers;
}

/** Runs every step in one shell, as a reader does. Answers the steps with what came out in place of what is shown. */
async function runSteps(steps: readonly Step[], { url, folder }: TourService): Promise<Step[]> {
  const script = steps.map((step) => `${step.script.replaceAll(README_URL, url)}\necho '${MARK}'\n`).join("");
  const shell = run("bash", ["-euo", "pipefail", "-c", script], { cwd: folder, env: cleanEnvironment() });
  shell.child.stdin?.end();
  const outputs = (await shell).stdout.split(`${MARK}\n`);
  return steps.map((step, index) =>
    "expected" in step ? { ...step, expected: asShown(JSON.parse(outputs[index] ?? ""), step.expected) } : step,
  );
}

function isInstalled(program: string): boolean {
  return spawnSync(program, ["--version"], { stdio: "ignore" }).error === undefined;
}
