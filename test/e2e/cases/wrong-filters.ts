import { expect } from "@jest/globals";
import { invalid } from "../api.js";
import type { Case } from "./case.js";

export const FILTERABLE =
  "what can is key_id, name, actor_id, status, visibility, scopes, metadata, create_time, update_time, expire_time, " +
  "last_used_time, revocation_reason";

/** Each with the column and what is wrong there. Filters of less than 60 characters, as a longer one is shown in part. */
export function wrongFilters(rows: readonly (readonly [filter: string, column: number, problem: string])[]): Case[] {
  return rows.map(([filter, column, problem]) => ({
    name: `refuses the filter ${JSON.stringify(filter)}, and shows where`,
    run: async ({ api }) => {
      const description = `column ${column}: ${problem}`;
      const shown = filter.replace(/\p{C}/gu, " ");
      expect(await api.refusal("AdminListIssuedApiKeys", { filter })).toEqual({
        ...invalid("filter", description, "INVALID_FILTER"),
        message: `filter: ${description}\n${shown}\n${"^".padStart(column)}`,
      });
    },
  }));
}
