#!/usr/bin/env node
import cluster from "node:cluster";
import { migrateStatus, migrateUp } from "./cli/migrate.js";
import { buildProgram } from "./cli/program.js";
import { serve } from "./cli/serve.js";
import { serveWorker } from "./cli/serve-worker.js";
import { serveWorkers } from "./cli/serve-workers.js";

const { env, stdout, stderr } = process;
const { worker } = cluster;

await buildProgram({
  serve: (config, warnings, workers) => {
    if (worker !== undefined) return serveWorker(config, worker);
    return workers === 1 ? serve(config, warnings, stderr) : serveWorkers(config, warnings, workers, stderr);
  },
  migrateUp: (config) => migrateUp(config, stdout),
  migrateStatus: (config) => migrateStatus(config, stdout),
  env,
  stdout,
  stderr,
}).parseAsync(process.argv);
