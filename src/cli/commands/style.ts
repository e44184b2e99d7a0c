import type { CommandContext } from "../program.js";

export type Color = "bold" | "green" | "yellow" | "red";

/** Writes a text in a colour, or as it is. */
export type Style = (color: Color, text: string) => string;

/** SGR parameters that turn a colour on and off (ECMA-48 section 8.3.117). */
const SGR: Readonly<Record<Color, readonly [on: number, off: number]>> = {
  bold: [1, 22],
  green: [32, 39],
  yellow: [33, 39],
  red: [31, 39],
};

/** Colours on a terminal only, and not where NO_COLOR (https://no-color.org) or a terminal without them is set. */
export function createStyle({ stdout, env }: Pick<CommandContext, "stdout" | "env">): Style {
  const { NO_COLOR: noColor = "", TERM: terminal } = env;
  if (stdout.isTTY !== true || noColor !== "" || terminal === "dumb") return (_color, text) => text;
  return (color, text) => {
    const [on, off] = SGR[color];
    return `\u001b[${on}m${text}\u001b[${off}m`;
  };
}
