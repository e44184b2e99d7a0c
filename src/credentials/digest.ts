import { hash } from "node:crypto";

/** What stands for a credential in memory: its SHA-256. */
export function digestOf(credential: string): string {
  return hash("sha256", credential, "base64");
}
