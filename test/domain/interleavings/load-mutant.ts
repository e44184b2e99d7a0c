import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { transform } from "@swc/core";
import type { Domain } from "./domain.js";
import type { Mutant } from "./mutants.js";

const SOURCES = new URL("../../../src/domain/", import.meta.url);

/**
 * The use cases, from a copy of `src/domain/` with one place of one file replaced. What they import from other folders is the
 * real thing. Throws when the place is not there, or there twice.
 */
export async function loadMutant({ file, replace, by, append = "" }: Mutant): Promise<Domain> {
  const directory = await mkdtemp(join(tmpdir(), "latchkey-mutant-"));
  try {
    for (const name of await readdir(SOURCES)) {
      const source = await readFile(new URL(name, SOURCES), "utf8");
      const mutated = name === file ? replaceOnce(file, source, replace, by) + append : source;
      await writeFile(join(directory, moduleName(name)), await compile(name, mutated));
    }
    const load = (name: string) => import(pathToFileURL(join(directory, moduleName(name))).href);
    return {
      ...(await load("revoke-key.ts")),
      ...(await load("rotate-key.ts")),
      ...(await load("sweep.ts")),
      ...(await load("update-key.ts")),
      ...(await load("verify-key.ts")),
    };
  } finally {
    await rm(directory, { recursive: true });
  }
}

function replaceOnce(file: string, source: string, replace: string, by: string): string {
  const [before, after, ...more] = source.split(replace);
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(`${file} does not have this exactly once any more: ${replace}`);
  }
  return before + by + after;
}

async function compile(name: string, source: string): Promise<string> {
  const { code } = await transform(source, {
    filename: name,
    swcrc: false,
    configFile: false,
    jsc: { parser: { syntax: "typescript" }, target: "es2022" },
    module: { type: "es6" },
  });
  return code.replace(/ from "(\.{1,2}\/[^"]+)\.js"/g, (_, path: string) => {
    return path.startsWith("./") ? ` from "${path}.mjs"` : ` from "${new URL(`${path}.ts`, SOURCES).href}"`;
  });
}

function moduleName(name: string): string {
  return name.replace(/\.ts$/, ".mjs");
}
