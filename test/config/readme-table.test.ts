import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { renderSettingsTable } from "../../src/config/describe-settings.js";

test("README.md has the settings as the schema declares them", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const [, table] = /<!-- settings -->\n([\s\S]*?)\n<!-- \/settings -->/.exec(readme) ?? [];
  expect(table).toBe(renderSettingsTable());
});
