#!/usr/bin/env node
import { EXIT_CODE } from "./cli/exit-code.js";
import { buildProgram } from "./cli/program.js";

const { env, stdout, stderr } = process;

stdout.on("error", ({ code }: NodeJS.ErrnoException) => {
  // Whoever reads may have seen enough: `latchkey keys list | head`.
  if (code === "EPIPE" || process.exitCode !== undefined) return;
  stderr.write(`latchkey: standard output cannot be written (${code})\n`);
  process.exitCode = EXIT_CODE.failed;
});
// There is nobody left to tell, and the service goes on.
stderr.on("error", () => undefined);

// What each command needs is loaded when it runs: `--help` is to be there at once.
await buildProgram({
  serve: async (config, warnings, workers, reread, hangUps) => {
    const { worker } = (await import("node:cluster")).default;
    if (worker !== undefined)
      return (await import("./cli/serve-worker.js")).serveWorker(config, reread, hangUps, worker);
    if (workers === 1) return (await import("./cli/serve.js")).serve(config, warnings, reread, hangUps, stderr);
    return (await import("./cli/serve-workers.js")).serveWorkers(config, warnings, workers, hangUps, stderr);
  },
  migrateUp: async (config) => (await import("./cli/migrate.js")).migrateUp(config, stdout),
  migrateStatus: async (config) => (await import("./cli/migrate.js")).migrateStatus(config, stdout),
  rotateSecret: async (config, name, overlapMs) =>
    (await import("./cli/secrets.js")).rotateSecret(config, name, overlapMs, stdout),
  forgetSecrets: async (config, name, all) =>
    (await import("./cli/secrets.js")).forgetSecrets(config, name, all, stdout),
  env,
  stdin: () => process.stdin,
  stdout,
  stderr,
}).parseAsync(process.argv);
