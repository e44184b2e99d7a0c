#!/usr/bin/env node
import { migrateStatus, migrateUp } from "./cli/migrate.js";
import { buildProgram } from "./cli/program.js";
import { serve } from "./cli/serve.js";

const { env, stdout, stderr } = process;

await buildProgram({
  serve: (config, warnings) => serve(config, warnings, stderr),
  migrateUp: (config) => migrateUp(config, stdout),
  migrateStatus: (config) => migrateStatus(config, stdout),
  env,
  stdout,
  stderr,
}).parseAsync(process.argv);
