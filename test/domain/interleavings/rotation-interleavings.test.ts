import { expect, test } from "@jest/globals";
import { readRepositoryFile } from "../../structure/repository.js";
import { Cast } from "./cast.js";
import { REAL_DOMAIN } from "./domain.js";
import { loadMutant } from "./load-mutant.js";
import { MUTANTS, type Mutant } from "./mutants.js";
import { SCENARIOS } from "./scenarios.js";
import { search } from "./search.js";

/**
 * All scenarios together have about 780,000 states, and 10^12 schedules lead through them; each state is looked at once. No
 * single search takes more than 4 s on a machine that does nothing else.
 */
const TIMEOUT_MS = 120_000;

test.each(Object.values(SCENARIOS))(
  "$title: rotation holds in all of more than $minStates states",
  async (scenario) => {
    const report = await search(new Cast(REAL_DOMAIN), scenario);
    expect(report.violation).toBeUndefined();
    expect(report.states).toBeGreaterThan(scenario.minStates);
    expect(report.schedules).toBeGreaterThan(100 * report.states);
  },
  TIMEOUT_MS,
);

test.each(MUTANTS)(
  "without '$rule' it does not: $title",
  async (mutant) => {
    const report = await search(new Cast(await loadMutant(mutant)), SCENARIOS[mutant.scenario]);
    expect(report.violation?.what).toBe(mutant.violation);
  },
  TIMEOUT_MS,
);

test("a search shows the steps that lead to a violation", async () => {
  const mutant = MUTANTS.find(({ title }) => title === "it is not pending in the first place") as Mutant;
  const report = await search(new Cast(await loadMutant(mutant)), SCENARIOS.oneRotator);
  const steps = report.violation?.steps.map((step) => step.replace(/ [0-9a-f]{4}( |$)/g, " <key>$1"));
  expect(steps?.slice(-2)).toEqual([
    "rotator: read <key> is answered",
    "rotator: insert <key> is answered, and comes again",
  ]);
});

test("every rule of rotate-key.ts is taken out by a mutant, and every mutant takes out a rule", () => {
  const source = readRepositoryFile("src/domain/rotate-key.ts");
  const [, list = ""] = /unsafe without any one of them[^:]*:\n \*\n([\s\S]*?)\n \*\//.exec(source) ?? [];
  const rules = list
    .split(/^ \* - /m)
    .slice(1)
    .map((rule) => rule.replace(/\s*\n \* +/g, " "));
  const ruleOf = ({ rule }: Mutant) => rules.filter((candidate) => candidate.startsWith(rule));
  expect(rules.length).toBeGreaterThan(0);
  expect(new Set(MUTANTS.flatMap(ruleOf))).toEqual(new Set(rules));
  expect(MUTANTS.filter((mutant) => ruleOf(mutant).length !== 1)).toEqual([]);
});

test("a mutant whose place is gone is an error", async () => {
  const [mutant] = MUTANTS as readonly [Mutant, ...Mutant[]];
  await expect(loadMutant({ ...mutant, replace: "not there" })).rejects.toThrow(
    `${mutant.file} does not have this exactly once any more: not there`,
  );
  await expect(loadMutant({ ...mutant, replace: "await " })).rejects.toThrow(
    `${mutant.file} does not have this exactly once any more: await `,
  );
});
