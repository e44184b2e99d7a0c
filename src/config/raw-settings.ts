import type { Mistake } from "./mistake.js";
import type { SettingPath } from "./settings.js";

/** A setting as it was written, before its schema has seen it. */
export interface RawSetting {
  readonly value: unknown;
  /** Where it was written: `latchkey.yaml:3` or `LATCHKEY_SERVER_PORT`. */
  readonly source: string;
}

/** What one source of configuration says. */
export interface RawSettings {
  readonly values: ReadonlyMap<SettingPath, RawSetting>;
  readonly mistakes: readonly Mistake[];
}
