import { describe, expect, test } from "@jest/globals";
import { createStyle, type Style } from "../../src/cli/commands/style.js";
import { formatFields, Table } from "../../src/cli/commands/table.js";

const plain: Style = (_color, text) => text;
const tagged: Style = (color, text) => `<${color}>${text}</>`;
const cells = (...texts: string[]) => texts.map((text) => ({ text }));

describe("a table", () => {
  test("its first rows decide how wide the columns are", () => {
    const table = new Table(["id", "name"], plain);
    expect(table.format([cells("1234", "a"), cells("1", "")])).toBe("id    name\n1234  a\n1\n");
    expect(table.format([cells("12345", "b"), cells("2", "c")])).toBe("12345  b\n2     c\n");
  });

  test("colours do not count as places", () => {
    const table = new Table(["a", "b"], tagged);
    expect(table.format([[{ text: "xy", color: "green" }, { text: "z" }]])).toBe(
      "<bold>a</>   <bold>b</>\n<green>xy</>  z\n",
    );
  });

  test("characters beyond the BMP are one place each", () => {
    expect(new Table(["a", "b"], plain).format([cells("🔑🔑", "x")])).toBe("a   b\n🔑🔑  x\n");
  });

  test("nothing moves the cursor or turns the text", () => {
    expect(formatFields([["name", { text: "a\u001b[2J\n\u009b1m\u202e\u2028" }]], plain)).toBe(
      "name  a\\u{1b}[2J\\u{a}\\u{9b}1m\\u{202e}\\u{2028}\n",
    );
  });
});

describe("colours", () => {
  const write = () => {};

  test.each([
    [{ isTTY: true }, {}, true],
    [{ isTTY: false }, {}, false],
    [{}, {}, false],
    [{ isTTY: true }, { NO_COLOR: "1" }, false],
    [{ isTTY: true }, { NO_COLOR: "" }, true],
    [{ isTTY: true }, { TERM: "dumb" }, false],
  ])("%j with %j: %s", (output, env, isColored) => {
    const style = createStyle({ stdout: { write, ...output }, env });
    expect(style("red", "a")).toBe(isColored ? "\u001b[31ma\u001b[39m" : "a");
  });
});
