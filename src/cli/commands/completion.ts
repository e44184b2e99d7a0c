import { Argument, type Command } from "commander";
import type { CommandContext } from "../program.js";
import { runCommand } from "../run-command.js";

export const SHELLS = ["bash", "zsh", "fish"] as const;

export function addCompletionCommand(program: Command, context: CommandContext): void {
  program
    .command("completion")
    .description("write a script that completes commands and options, for the shell to source")
    .addArgument(new Argument("<shell>", "which shell").choices(SHELLS))
    .addHelpText(
      "after",
      "\n" +
        "bash  source <(latchkey completion bash)\n" +
        "zsh   source <(latchkey completion zsh)\n" +
        "fish  latchkey completion fish | source",
    )
    .action((shell: (typeof SHELLS)[number]) =>
      runCommand(context, async () => {
        const { formatCompletion } = await import("./completion-scripts.js");
        context.stdout.write(formatCompletion(program, shell));
        return undefined;
      }),
    );
}
