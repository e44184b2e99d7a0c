import type { Command } from "commander";

/** A command, and what may follow it. */
interface Place {
  /** Words from the program's name on. */
  readonly path: string;
  readonly words: readonly Word[];
  readonly options: readonly CompletedOption[];
}

interface Word {
  readonly name: string;
  readonly description: string;
}

interface CompletedOption extends Word {
  readonly takesValue: boolean;
  /** Empty: any text. */
  readonly choices: readonly string[];
  readonly isFile: boolean;
}

/** A completion script, made from the commands themselves. */
export function formatCompletion(program: Command, shell: "bash" | "zsh" | "fish"): string {
  const places = placesOf(program, "");
  if (shell === "fish") return formatFish(program.name(), places);
  return (shell === "zsh" ? ZSH_PREAMBLE : "") + formatBash(program.name(), places);
}

/** zsh runs scripts for bash's completion by a module of its own. */
const ZSH_PREAMBLE = "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n";

function placesOf(command: Command, before: string): readonly Place[] {
  const path = `${before}${command.name()}`;
  const subcommands = command.commands.map((sub) => ({ name: sub.name(), description: sub.description() }));
  const choices = command.registeredArguments.flatMap(({ argChoices = [], description }) =>
    argChoices.map((name) => ({ name, description })),
  );
  const options = command.options.map(({ long, description, argChoices = [], flags, required }) => ({
    name: long ?? "",
    description,
    takesValue: required,
    choices: argChoices,
    isFile: flags.includes("<file>"),
  }));
  const help: CompletedOption = {
    name: "--help",
    description: "show help",
    takesValue: false,
    choices: [],
    isFile: false,
  };
  const here = { path, words: [...subcommands, ...choices], options: [...options, help] };
  return [here, ...command.commands.flatMap((sub) => placesOf(sub, `${path} `))];
}

/** Finds the command among the words before the cursor, then offers what may follow it. Other words are files' names. */
function formatBash(name: string, places: readonly Place[]): string {
  const values = places.flatMap(({ path, options }) =>
    options
      .filter(({ takesValue, isFile }) => takesValue && !isFile)
      .map((option) => `    "${path} ${option.name}") words="${option.choices.join(" ")}" ;;`),
  );
  const files = places.flatMap(({ path, options }) =>
    options.filter(({ isFile }) => isFile).map((option) => `"${path} ${option.name}"`),
  );
  const offers = places.map(
    ({ path, words, options }) =>
      `      "${path}") words="${[...words, ...options].map((word) => word.name).join(" ")}" ;;`,
  );
  const others = places.slice(1).map(({ path }) => `"${path}"`);
  return `_${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" place="${name}" words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$place \${COMP_WORDS[i]}" in
      ${others.join("|")}) place="$place \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$place $previous" in
    ${files.join("|")}) COMPREPLY=($(compgen -f -- "$current")); return ;;
${values.join("\n")}
    *)
      case "$place" in
${offers.map((line) => `  ${line}`).join("\n")}
      esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _${name} ${name}
`;
}

function formatFish(name: string, places: readonly Place[]): string {
  const others = places.slice(1).map(({ path }) => `'${path}'`);
  const lines = places.flatMap(({ path, words, options }) => {
    const start = `complete -c ${name} -n '__${name}_at "${path}"'`;
    return [
      ...words.map((word) => `${start} -a ${word.name} -d ${quoteFish(word.description)}`),
      ...options.map(({ name: option, description, takesValue, choices, isFile }) => {
        const value = isFile ? " -r -F" : takesValue ? " -x" : "";
        const offered = choices.length > 0 ? ` -a ${quoteFish(choices.join(" "))}` : "";
        return `${start} -l ${option.slice(2)} -d ${quoteFish(description)}${value}${offered}`;
      }),
    ];
  });
  return `function __${name}_at
  set -l place ${name}
  for word in (commandline -opc)[2..]
    switch "$place $word"
      case ${others.join(" ")}
        set place "$place $word"
    end
  end
  test "$place" = "$argv[1]"
end
complete -c ${name} -f
${lines.join("\n")}
`;
}

function quoteFish(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
