import type { z } from "zod";
import { type Config, configFromValues } from "./config.js";
import type { Mistake } from "./mistake.js";
import type { RawSetting } from "./raw-settings.js";
import { readEnvironment } from "./read-environment.js";
import { readYaml } from "./read-yaml.js";
import { checkRules } from "./rules.js";
import { type SettingPath, type SettingValues, settingPaths, settings } from "./settings.js";

export interface ConfigSources {
  /** A YAML file. */
  readonly file?: string | undefined;
  /** Wins over the file. */
  readonly env: NodeJS.ProcessEnv;
}

export type LoadedConfig =
  | {
      readonly config: Config;
      /** What it was made from. */
      readonly values: SettingValues;
      readonly mistakes?: undefined;
      readonly warnings: readonly string[];
    }
  | {
      readonly config?: undefined;
      readonly values?: undefined;
      readonly mistakes: readonly Mistake[];
      readonly warnings: readonly string[];
    };

/** Reads the whole configuration: it, or everything that is wrong with it. No message repeats a value that may be secret. */
export function loadConfig({ file, env }: ConfigSources): LoadedConfig {
  const environment = readEnvironment(env);
  const yaml = file === undefined ? undefined : readYaml(file);
  const raw = new Map([...(yaml?.values ?? []), ...environment.values]);
  const mistakes: Mistake[] = [...(yaml?.mistakes ?? []), ...environment.mistakes];
  const warnings = environment.unknown.map((name) => `${name} names no setting and is ignored`);

  const unreadable = new Set(mistakes.map(({ path }) => path));
  const values: Partial<Record<SettingPath, unknown>> = {};
  for (const path of settingPaths) {
    if (unreadable.has(path)) continue;
    const result = settings[path].safeParse(raw.get(path)?.value);
    if (result.success) values[path] = result.data;
    else mistakes.push(...result.error.issues.map((issue) => mistakeFromIssue(path, raw.get(path), issue)));
  }

  // A file that could not be read could have held anything: what is missing then is no second mistake.
  if (!mistakes.some(({ path }) => path === undefined)) {
    const given = (path: SettingPath) => raw.has(path) || unreadable.has(path);
    for (const { path, message } of checkRules({ values: values as Partial<SettingValues>, given })) {
      mistakes.push({ path, message, ...sourceOf(raw.get(path)) });
    }
  }
  if (mistakes.length > 0) return { mistakes, warnings };
  return { config: configFromValues(values as SettingValues), values: values as SettingValues, warnings };
}

function mistakeFromIssue(path: SettingPath, setting: RawSetting | undefined, issue: z.core.$ZodIssue): Mistake {
  const inner = issue.path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
  return { path: `${path}${inner}`, message: issue.message, ...sourceOf(setting) };
}

function sourceOf(setting: RawSetting | undefined): { readonly source?: string } {
  return setting === undefined ? {} : { source: setting.source };
}
