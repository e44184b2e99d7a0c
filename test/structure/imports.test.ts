import { expect, test } from "@jest/globals";
import { describeAllowed, ENVIRONMENT_READERS, FOLDER_TABLE, mayImport, rowOf } from "./folder-table.js";
import { readModule } from "./module-imports.js";
import { listFiles, readRepositoryFile } from "./repository.js";

const modules = listFiles("src/").map((file) => ({ file, ...readModule(file, readRepositoryFile(file)) }));
const manifest = JSON.parse(readRepositoryFile("package.json"));

test("every file of src/ belongs to a row of the table, and every row has a file", () => {
  const rows = new Set(modules.map(({ file }) => rowOf(file)));
  expect([...rows].sort()).toEqual(Object.keys(FOLDER_TABLE).sort());
});

test("imports run only as the table says", () => {
  const violations = modules.flatMap(({ file, imports }) =>
    imports
      .filter(({ target, isTypeOnly }) => !mayImport(rowOf(file), target, isTypeOnly))
      .map(({ target, isTypeOnly }) => `${file} imports ${isTypeOnly ? "types of " : ""}${target}`),
  );
  expect(violations).toEqual([]);
});

test("only the configuration reads the environment; executables pass it in", () => {
  const readers = modules.filter(({ usesProcessEnv }) => usesProcessEnv).map(({ file }) => file);
  expect(readers.filter((file) => !ENVIRONMENT_READERS.includes(rowOf(file)))).toEqual([]);
  expect(modules.filter(({ imports }) => imports.some(({ target }) => target === "node:process"))).toEqual([]);
});

test("src/ imports the packages of `dependencies`, all of them and no others", () => {
  const imported = modules
    .flatMap(({ imports }) => imports.map(({ target }) => target))
    .filter((target) => !/^(?:src\/|gen\/|node:)/.test(target))
    .map((target) => target.split("/", target.startsWith("@") ? 2 : 1).join("/"));
  expect([...new Set(imported)].sort()).toEqual(Object.keys(manifest.dependencies).sort());
});

test("CONTRIBUTING.md has the same table", () => {
  const rows = [...readRepositoryFile("CONTRIBUTING.md").matchAll(/^\| `(src\/[^`]*)` +\| [^|]+\| ([^|]+?) +\|$/gm)];
  const table = Object.fromEntries(rows.map(([, row, allowed]) => [row, allowed]));
  expect(table).toEqual(Object.fromEntries(Object.keys(FOLDER_TABLE).map((row) => [row, describeAllowed(row)])));
});

test("CONTRIBUTING.md has one line for each dependency", () => {
  const lines = [...readRepositoryFile("CONTRIBUTING.md").matchAll(/^- `([^`]+)`(?:, `([^`]+)`)*: /gm)];
  const named = lines.flatMap(([line]) => [...line.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
  expect(named.sort()).toEqual(
    [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)].sort(),
  );
});

/** What the tests above rest on. */
test.each([
  ['import { a } from "../errors.js"', { target: "src/errors.ts", isTypeOnly: false }],
  ['import type { A } from "../query/field-mask.js"', { target: "src/query/field-mask.ts", isTypeOnly: true }],
  ['import { type A, type B } from "../query/field-mask.js"', { target: "src/query/field-mask.ts", isTypeOnly: true }],
  ['import { type A, b } from "zod"', { target: "zod", isTypeOnly: false }],
  ['import "mongodb"', { target: "mongodb", isTypeOnly: false }],
  ['export * from "./get-key.js"', { target: "src/domain/get-key.ts", isTypeOnly: false }],
  ['export { a } from "lmdb"', { target: "lmdb", isTypeOnly: false }],
  ['export type { A } from "lmdb"', { target: "lmdb", isTypeOnly: true }],
  ['const a = () => import("../../gen/a_pb.js")', { target: "gen/a_pb.ts", isTypeOnly: false }],
  ['let a: import("lmdb").A', { target: "lmdb", isTypeOnly: true }],
])("%s is read", (source, expected) => {
  expect(readModule("src/domain/sample.ts", source)).toEqual({ imports: [expected], usesProcessEnv: false });
});

test.each(["process.env.A", 'process["env"]', "const { env } = process", "const { stdout, env: e } = process"])(
  "%s is seen",
  (source) => {
    expect(readModule("src/domain/sample.ts", source).usesProcessEnv).toBe(true);
  },
);

test.each([
  ["src/domain/", "src/store/key-store.ts", false, true],
  ["src/domain/", "src/store/call-gate.ts", false, false],
  ["src/domain/", "src/store/mongo/mongo-store.ts", true, false],
  ["src/store/", "src/query/field-mask.ts", true, true],
  ["src/store/", "src/query/field-mask.ts", false, false],
  ["src/domain/", "@bufbuild/protobuf/wkt", true, false],
  ["src/domain/", "gen/latchkey/v2alpha1/resources_pb.ts", true, false],
  ["src/domain/", "src/errors.ts", false, true],
  ["src/domain/", "src/telemetry/logger.ts", true, true],
  ["src/domain/", "src/telemetry/logger.ts", false, false],
  ["src/handlers/", "@bufbuild/protobuf/wkt", false, true],
  ["src/server/rest/", "src/server/connect/lane.ts", false, false],
  ["src/store/embedded/", "mongodb", true, false],
  ["src/new/", "src/errors.ts", false, false],
])("from %s to %s (types only: %s): %s", (row, target, isTypeOnly, expected) => {
  expect(mayImport(row, target, isTypeOnly)).toBe(expected);
});
