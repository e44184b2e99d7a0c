import { parseUuid } from "./uuid.js";

const IMPORTED_KEY_ID = /^[0-9a-f]{64}$/;

/** The id of an issued key (UUID, in any case) or an imported one, in its one spelling; `undefined` for any other text. */
export function parseKeyId(text: string): string | undefined {
  return parseUuid(text) ?? (IMPORTED_KEY_ID.test(text) ? text : undefined);
}
