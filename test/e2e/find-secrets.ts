import type { Json } from "./clients/api-client.js";

/** Fields of requests and responses that hold a credential. */
const SECRET_FIELDS = new Set(["credential", "raw_key", "secret", "token"]);

/** Every credential in a message, at any depth. */
export function findSecrets(message: Json): string[] {
  if (typeof message !== "object" || message === null) return [];
  return Object.entries(message).flatMap(([name, value]) =>
    typeof value === "string" ? (SECRET_FIELDS.has(name) && value !== "" ? [value] : []) : findSecrets(value),
  );
}
