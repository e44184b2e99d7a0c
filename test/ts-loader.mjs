/**
 * Runs this project's TypeScript in a plain Node process, without a build:
 *
 *     node --import ./test/ts-loader.mjs src/main.ts serve
 *
 * For the tests that need a real process. Types are not checked here.
 */
import { readFile } from "node:fs/promises";
import { register } from "node:module";
import { fileURLToPath } from "node:url";
import { isMainThread } from "node:worker_threads";
import { transform } from "@swc/core";

// The hooks run in a thread of their own, which loads this module again.
if (isMainThread) register(import.meta.url);

/** Sources import "./x.js", as the build needs it, where "./x.ts" is meant. */
export async function resolve(specifier, context, nextResolve) {
  const isSource = context.parentURL?.endsWith(".ts") && /^\.{1,2}\/.*\.js$/.test(specifier);
  if (!isSource) return nextResolve(specifier, context);
  try {
    return await nextResolve(specifier.replace(/\.js$/, ".ts"), context);
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    return nextResolve(specifier, context);
  }
}

export async function load(url, context, nextLoad) {
  if (!url.startsWith("file:") || !url.endsWith(".ts")) return nextLoad(url, context);
  const filename = fileURLToPath(url);
  const { code } = await transform(await readFile(filename, "utf8"), {
    filename,
    swcrc: false,
    configFile: false,
    jsc: { parser: { syntax: "typescript" }, target: "es2022" },
    module: { type: "es6" },
    sourceMaps: "inline",
  });
  return { format: "module", source: code, shortCircuit: true };
}
