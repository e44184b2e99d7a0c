/** Keys that other systems made. They have any form, and are known here by a keyed hash only. */
import { createHmac, type KeyObject } from "node:crypto";
import { uuidToBytes } from "./uuid.js";

const TENANT_END = Buffer.of(0);
const PEPPER_CHECK_LABEL = "latchkey/pepper-check/v1";

/**
 * Key id of an imported key, 64 hexadecimal characters: HMAC-SHA-512/256( pepper, tenant id, 16 bytes || 0x00 || raw key,
 * UTF-8 ). Keyed, because raw keys can be weak: nobody without the pepper can guess one from its id.
 */
export function importedKeyId(pepper: KeyObject, tenantId: string, rawKey: string): string {
  return createHmac("sha512-256", pepper)
    .update(uuidToBytes(tenantId))
    .update(TENANT_END)
    .update(rawKey, "utf8")
    .digest("hex");
}

/** 32 bytes that tell one pepper from another, and nothing else about it. */
export function pepperCheckValue(pepper: KeyObject): Uint8Array {
  return createHmac("sha256", pepper).update(PEPPER_CHECK_LABEL).digest();
}
