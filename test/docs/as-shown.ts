/** In what a page shows: any text. On a line of its own, any lines. */
const ELLIPSIS = "...";

/**
 * The part of `actual` that `expected` speaks of, written as `expected` writes it: equal to `expected` exactly when the
 * answer is the one that is shown. Fields of objects may be left out there; `...` in a string stands for any text.
 */
export function asShown(actual: unknown, expected: unknown): unknown {
  if (typeof actual === "string" && typeof expected === "string") return fits(actual, expected) ? expected : actual;
  if (Array.isArray(actual) && Array.isArray(expected))
    return actual.map((item, index) => asShown(item, expected[index]));
  if (!isObject(actual) || !isObject(expected)) return actual;
  const shown = Object.keys(expected).filter((name) => name in actual);
  return Object.keys(expected).length === 0
    ? actual
    : Object.fromEntries(shown.map((name) => [name, asShown(actual[name], expected[name])]));
}

/** The same of lines. Spaces at the ends of lines do not count. */
export function linesAsShown(actual: string, expected: string): string {
  const lines = expected.split("\n").map((line) => {
    if (line === ELLIPSIS) return "(?:.*\n)*";
    return `${line.split(ELLIPSIS).map(escapePattern).join(".+")}\n`;
  });
  // A text ends with a newline, behind which there is no line.
  const pattern = new RegExp(`^${lines.slice(0, -1).join("")}$`);
  return pattern.test(actual.replaceAll(/[^\S\n]+$/gm, "")) ? expected : actual;
}

function fits(actual: string, expected: string): boolean {
  const [start = "", end] = expected.split(ELLIPSIS);
  if (end === undefined) return actual === expected;
  return actual.length > start.length + end.length && actual.startsWith(start) && actual.endsWith(end);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function escapePattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
