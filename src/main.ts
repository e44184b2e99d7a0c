#!/usr/bin/env node
import { buildProgram } from "./cli/program.js";
import { serve } from "./cli/serve.js";

const { env, stdout, stderr } = process;

await buildProgram({
  serve: (config, warnings) => serve(config, warnings, stderr),
  env,
  stdout,
  stderr,
}).parseAsync(process.argv);
