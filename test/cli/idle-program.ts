import type { Command } from "commander";
import { buildProgram, type ProgramContext } from "../../src/cli/program.js";

/** The command line with services, migrations and rotations that do nothing, no environment, and no output. */
export function createIdleProgram(context: Partial<ProgramContext> = {}): Command {
  return buildProgram({
    serve: async () => {},
    migrateUp: async () => {},
    migrateStatus: async () => {},
    rotateSecret: async () => {},
    forgetSecrets: async () => {},
    env: {},
    stdin: () => process.stdin,
    stdout: { write: () => {} },
    stderr: { write: () => {} },
    ...context,
  });
}
