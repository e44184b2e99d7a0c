import { expect } from "@jest/globals";
import { invalid, KEY_NOT_FOUND } from "../api.js";
import type { Case } from "./case.js";

export const UNKNOWN_KEY_ID = "01890000-0000-7000-8000-000000000000";
export const IMPORTED_KEY_ID = "ab".repeat(32);
export const KEY_ID_RULE = "must be a UUID, or 64 hexadecimal characters of an imported key";

export const getCases: readonly Case[] = [
  {
    name: "reads a key by its id, in upper case too",
    run: async ({ api, actorId }) => {
      const { issued_api_key: key } = await api.issue({ actor_id: actorId });
      expect(await api.get(key.key_id)).toEqual(key);
      expect(await api.get(key.key_id.toUpperCase())).toEqual(key);
    },
  },
  {
    name: "does not find an id that was never given",
    run: async ({ api }) => {
      expect(await api.refusal("AdminGetIssuedApiKey", { key_id: UNKNOWN_KEY_ID })).toEqual(KEY_NOT_FOUND);
    },
  },
  {
    name: "does not find the id of an imported key",
    run: async ({ api }) => {
      expect(await api.refusal("AdminGetIssuedApiKey", { key_id: IMPORTED_KEY_ID })).toEqual(KEY_NOT_FOUND);
    },
  },
  ...[
    "nonsense",
    "01890000-0000-7000-8000-00000000000g",
    "AB".repeat(32),
    "a/b",
    "a\u0000b",

    "ключ",
    ":revoke",
  ].map(
    (keyId): Case => ({
      name: `refuses the malformed id ${JSON.stringify(keyId)}`,
      run: async ({ api }) => {
        expect(await api.refusal("AdminGetIssuedApiKey", { key_id: keyId })).toEqual(invalid("key_id", KEY_ID_RULE));
      },
    }),
  ),
];
