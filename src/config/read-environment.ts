import { readFileSync } from "node:fs";
import { failureCode } from "./failure-code.js";
import type { Mistake } from "./mistake.js";
import type { RawSetting, RawSettings } from "./raw-settings.js";
import { environmentName, type SettingKind, settingKind } from "./setting-shape.js";
import { type SettingPath, settingPaths, settings } from "./settings.js";

/** Variables that are the command line's or the tests', not the service's. */
const OTHERS = /^LATCHKEY_(ENDPOINT|TOKEN|TEST_.*)$/;

export interface EnvironmentSettings extends RawSettings {
  /** `LATCHKEY_*` variables that name no setting. */
  readonly unknown: readonly string[];
}

/**
 * Reads the settings among environment variables: `LATCHKEY_A_B_C` holds the value of `a.b_c`, a list separated by
 * commas, a list of objects as JSON; `LATCHKEY_A_B_C_FILE` names a file that holds it, whose last newline does not count.
 */
export function readEnvironment(env: NodeJS.ProcessEnv): EnvironmentSettings {
  const values = new Map<SettingPath, RawSetting>();
  const mistakes: Mistake[] = [];
  const known = new Set<string>();
  for (const path of settingPaths) {
    const name = environmentName(path);
    const fileName = `${name}_FILE`;
    known.add(name).add(fileName);
    const [source, other] = [name, fileName].filter((candidate) => env[candidate] !== undefined);
    if (source === undefined) continue;
    if (other !== undefined) {
      mistakes.push({ path, source, message: `is set by ${other} too; set only one of them` });
      continue;
    }
    const text = source === name ? { value: env[name] ?? "" } : readValueFile(env[fileName] ?? "");
    const raw = text.failure === undefined ? decode(text.value, settingKind(settings[path])) : text;
    if (raw.failure === undefined) values.set(path, { value: raw.value, source });
    else mistakes.push({ path, source, message: raw.failure });
  }
  const unknown = Object.keys(env).filter(
    (name) => name.startsWith("LATCHKEY_") && !known.has(name) && !OTHERS.test(name),
  );
  return { values, mistakes, unknown };
}

type Decoded<T> = { readonly value: T; readonly failure?: undefined } | { readonly failure: string };

function readValueFile(file: string): Decoded<string> {
  try {
    return { value: readFileSync(file, "utf8").replace(/\r?\n$/, "") };
  } catch (error) {
    // Does not repeat the file's name: a user may have put the secret itself into the variable.
    return { failure: `names a file that cannot be read (${failureCode(error)})` };
  }
}

/** Text that is not of its kind stays text, for the schema to say what it should be. */
function decode(text: string, kind: SettingKind): Decoded<unknown> {
  if (kind === "list") return { value: text === "" ? [] : text.split(",").map((item) => item.trim()) };
  if (text === "") return { failure: "is empty; give a value or unset it" };
  if (kind === "objects") return parseJson(text);
  if (kind === "number" && /^-?\d+$/.test(text)) return { value: Number(text) };
  if (kind === "boolean" && (text === "true" || text === "false")) return { value: text === "true" };
  return { value: text };
}

function parseJson(text: string): Decoded<unknown> {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    if (error instanceof SyntaxError) return { failure: "must be a JSON list of objects" };
    throw error;
  }
}
