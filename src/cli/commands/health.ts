import type { Command } from "commander";
import type { Client } from "../client/client.js";
import { EXIT_CODE } from "../exit-code.js";
import type { CommandContext } from "../program.js";
import { runCommand } from "../run-command.js";
import { showable } from "../showable.js";
import { ENDPOINT, type Format, withConfigOption, withFormatOption } from "./options.js";
import { writeAnswer } from "./write-answer.js";

const SERVING = "SERVING";

interface HealthOptions {
  readonly endpoint?: string;
  readonly config?: string;
  readonly format: Format;
}

export function addHealthCommand(program: Command, context: CommandContext): void {
  const health = program
    .command("health")
    .description("say whether the service is ready; exit code 1 if it is not")
    .option("--endpoint <url>", `${ENDPOINT}; else LATCHKEY_ENDPOINT, else the one on this machine`);
  withFormatOption(withConfigOption(health)).action((options: HealthOptions) =>
    runCommand(context, async () => {
      const { explainFailure } = await import("../client/explain-failure.js");
      try {
        const status = await checkHealth(options, context);
        await writeAnswer(context, options.format, { status }, (_json, style) => {
          return `${style(status === SERVING ? "green" : "red", showable(status))}\n`;
        });
        return status === SERVING ? EXIT_CODE.ok : EXIT_CODE.failed;
      } catch (error) {
        throw explainFailure(error, false);
      }
    }),
  );
}

async function checkHealth(options: HealthOptions, context: CommandContext): Promise<string> {
  const { openServiceClient } = await import("../client/open-client.js");
  const client: Client = await openServiceClient(options, context);
  try {
    return await client.checkHealth();
  } finally {
    await client.close();
  }
}
