#!/usr/bin/env node
import cluster from "node:cluster";
import { migrateStatus, migrateUp } from "./cli/migrate.js";
import { buildProgram } from "./cli/program.js";
import { forgetSecrets, rotateSecret } from "./cli/secrets.js";
import { serve } from "./cli/serve.js";
import { serveWorker } from "./cli/serve-worker.js";
import { serveWorkers } from "./cli/serve-workers.js";

const { env, stdout, stderr } = process;
const { worker } = cluster;

await buildProgram({
  serve: (config, warnings, workers, reread) => {
    if (worker !== undefined) return serveWorker(config, reread, worker);
    return workers === 1 ? serve(config, warnings, reread, stderr) : serveWorkers(config, warnings, workers, stderr);
  },
  migrateUp: (config) => migrateUp(config, stdout),
  migrateStatus: (config) => migrateStatus(config, stdout),
  rotateSecret: (config, name, overlapMs) => rotateSecret(config, name, overlapMs, stdout),
  forgetSecrets: (config, name, all) => forgetSecrets(config, name, all, stdout),
  env,
  stdout,
  stderr,
}).parseAsync(process.argv);
