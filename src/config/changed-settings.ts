import { KeyObject } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { SecretUrl } from "./secret-url.js";
import { type SettingPath, type SettingValues, settingPaths } from "./settings.js";

/** What SIGHUP brings up to date; anything else takes a restart. */
const RELOADABLE: readonly SettingPath[] = ["admin.tokens", "secrets.hmac.current", "secrets.hmac.retired"];

/** The settings that differ, and that only a restart brings up to date. */
export function settingsThatTakeARestart(before: SettingValues, after: SettingValues): SettingPath[] {
  return settingPaths.filter((path) => !RELOADABLE.includes(path) && !isSame(before[path], after[path]));
}

function isSame(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => isSame(item, b[i]));
  // Neither shows its value to a comparison of properties.
  if (a instanceof KeyObject && b instanceof KeyObject) return a.equals(b);
  if (a instanceof SecretUrl && b instanceof SecretUrl) return a.reveal() === b.reveal();
  return isDeepStrictEqual(a, b);
}
