import { environmentName, settingDefault } from "./setting-shape.js";
import { settingPaths, settings } from "./settings.js";

export interface SettingDescription {
  /** Path in the YAML file, such as `server.port`. */
  readonly path: string;
  /** Environment variable, such as `LATCHKEY_SERVER_PORT`. */
  readonly env: string;
  /** The default as a user would write it; absent when the setting has none. */
  readonly default?: string;
  /** One line of Markdown. */
  readonly description: string;
}

/** Every setting, in the order of the schema. */
export function describeSettings(): SettingDescription[] {
  return settingPaths.map((path) => {
    const value = settingDefault(settings[path]);
    const hasDefault = value !== undefined && !(Array.isArray(value) && value.length === 0);
    return {
      path,
      env: environmentName(path),
      ...(hasDefault ? { default: String(value) } : {}),
      description: settings[path].description ?? "",
    };
  });
}

/** The settings as a Markdown table, without a newline at the end. README.md holds it between `settings` markers. */
export function renderSettingsTable(): string {
  const rows = describeSettings().map(
    (setting) =>
      `| \`${setting.path}\` | \`${setting.env}\` | ${setting.default === undefined ? "" : `\`${setting.default}\``} | ${setting.description} |`,
  );
  return ["| YAML | environment | default | meaning |", "|---|---|---|---|", ...rows].join("\n");
}
