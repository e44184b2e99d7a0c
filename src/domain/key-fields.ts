import type { FilterFields } from "../query/filter.js";
import { KEY_STATUSES, type KeyStatus } from "./key-status.js";

/** The name of a status in the API. */
const STATUS_NAME_PREFIX = "KEY_STATUS_";

/** The fields of a key that a list can be filtered on. */
export const KEY_FIELDS = {
  actor_id: {},
  status: { values: KEY_STATUSES.map((status) => STATUS_NAME_PREFIX + status.toUpperCase()) },
} satisfies FilterFields;

/** The status that a filter's `KEY_STATUS_...` means; `undefined` when it names none. */
export function statusFromName(name: string | undefined): KeyStatus | undefined {
  return KEY_STATUSES.find((status) => STATUS_NAME_PREFIX + status.toUpperCase() === name);
}
