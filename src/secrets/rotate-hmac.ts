import { formatRetiredHmac, hmacFile, readRetiredHmac, retiredHmacFile } from "./hmac-files.js";
import type { Forgetting, Forgotten, Rotation } from "./rotation.js";
import { withRotationLock } from "./rotation-lock.js";
import { readSecretText, replaceSecretFile } from "./secret-file.js";
import { generateSecretText } from "./secret-text.js";

/** Makes a new generated `secrets.hmac`; the one before is retired. @throws DataDirectoryError */
export function rotateHmac({ directory, usedFromMs }: Rotation): Promise<void> {
  return withRotationLock(directory, filesIn(directory), async () => {
    const text = await readSecretText(hmacFile(directory));
    const earlier = (await readRetiredHmac(directory)).filter((retired) => retired.text !== text);
    const retired = [{ text, usedUntilMs: usedFromMs }, ...earlier].map((item) => ({
      ...item,
      // One that still waits for its turn must not come after the new one.
      usedUntilMs: Math.min(item.usedUntilMs, usedFromMs),
    }));
    // In this order, whoever reads the new secret finds the old one too.
    await replaceSecretFile(retiredHmacFile(directory), formatRetiredHmac(retired));
    await replaceSecretFile(hmacFile(directory), generateSecretText());
  });
}

/** Takes retired secrets away. What was made with them is refused from when a service reads that. @throws DataDirectoryError */
export function forgetHmac({ directory, retiredBeforeMs }: Forgetting): Promise<Forgotten> {
  return withRotationLock(directory, filesIn(directory), async () => {
    const newest = await readSecretText(hmacFile(directory));
    const retired = (await readRetiredHmac(directory)).filter(({ text }) => text !== newest);
    const kept = retired.filter(({ usedUntilMs }) => usedUntilMs > retiredBeforeMs);
    if (kept.length < retired.length) await replaceSecretFile(retiredHmacFile(directory), formatRetiredHmac(kept));
    return { forgotten: retired.length - kept.length, keptUsedUntilMs: kept.map(({ usedUntilMs }) => usedUntilMs) };
  });
}

function filesIn(directory: string): readonly string[] {
  return [hmacFile(directory), retiredHmacFile(directory)];
}
