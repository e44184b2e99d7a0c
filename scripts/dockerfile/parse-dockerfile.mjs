/**
 * The stages of a Dockerfile: `{name, base, steps}`, each step `{keyword, text}` in order. Knows what ours uses: comments between
 * instructions, continued lines, no variables.
 */
export function parseDockerfile(text) {
  const stages = [];
  const lines = text.split("\n").filter((line) => !/^\s*(#|$)/.test(line));
  for (const instruction of lines
    .join("\n")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")) {
    const [, keyword, rest] = /^([A-Z]+) +(.*)$/.exec(instruction) ?? [];
    if (keyword === undefined) throw new Error(`Dockerfile: cannot read: ${instruction}`);
    if (keyword === "FROM") {
      const [, base, name] = /^(\S+)(?: AS (\S+))?$/.exec(rest) ?? [];
      if (base === undefined) throw new Error(`Dockerfile: cannot read: ${instruction}`);
      stages.push({ name, base, steps: [] });
    } else if (stages.length === 0) throw new Error(`Dockerfile: before the first FROM: ${instruction}`);
    else stages.at(-1).steps.push({ keyword, text: rest });
  }
  return stages;
}

/** `NAME=value` pairs, as ENV has them; values without spaces or quotes. */
export function parsePairs(text) {
  return Object.fromEntries(
    text.split(/ +/).map((pair) => {
      const [, name, value] = /^(\w+)=([^'"$\\]*)$/.exec(pair) ?? [];
      if (name === undefined) throw new Error(`Dockerfile: cannot read: ENV ${text}`);
      return [name, value];
    }),
  );
}

/** A command in exec form; the shell form is refused, for the shell would get the signals. */
export function parseExecForm(text) {
  const words = text.startsWith("[") ? JSON.parse(text) : undefined;
  if (words === undefined) throw new Error(`Dockerfile: must be in exec form: ${text}`);
  return words;
}

/**
 * Whether .dockerignore leaves a path of the context in: lines are `*`, or `!` and a path, which stands for what is below it too.
 */
export function createContextFilter(text) {
  const lines = text.split("\n").filter((line) => !/^\s*(#|$)/.test(line));
  if (lines[0] !== "*" || !lines.slice(1).every((line) => /^!\w[\w./-]*$/.test(line))) {
    throw new Error(".dockerignore: must be * and then what is not ignored");
  }
  const kept = lines.slice(1).map((line) => line.slice(1));
  return (path) => kept.some((name) => path === name || path.startsWith(`${name}/`));
}
