import type { Config } from "../config/config.js";
import { pepperCheckValue } from "../credentials/imported-key.js";
import { KeyRing } from "../secrets/key-ring.js";
import { loadPepper } from "../secrets/load-pepper.js";
import type { KeyStore } from "../store/key-store.js";
import type { ExportKeys } from "../transfer/read-export.js";
import { openCheckedStore } from "./open-domain.js";
import type { Output } from "./program.js";

export interface TransferSecrets {
  readonly pepper: Awaited<ReturnType<typeof loadPepper>>;
  readonly exportKeys: ExportKeys;
}

/** What an export is made and read with. Makes no secrets. */
export async function loadTransferSecrets(config: Config): Promise<TransferSecrets> {
  const pepper = await loadPepper(config.dataDir, config.secrets.pepper);
  const macKey = new KeyRing({ current: pepper, retired: [] }).derive("latchkey/export/v1").current;
  return { pepper, exportKeys: { macKey, pepperCheck: pepperCheckValue(pepper) } };
}

/** Opens the store that is configured, as a service does but for an older one, and closes it in the end. */
export async function withStore<T>(
  config: Config,
  { pepper }: TransferSecrets,
  stderr: Output,
  use: (store: KeyStore) => Promise<T>,
): Promise<T> {
  const onWarning = (message: string) => void stderr.write(`latchkey: warning: ${message}\n`);
  const ignore = () => {};
  const events = { onRefreshError: ignore, onFeedError: ignore, onUsesNotWritten: ignore, onWarning };
  // No verifications are answered here, so nothing is to be remembered.
  const store = await openCheckedStore({ ...config, cache: undefined }, { pepper }, "refuse", events);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}
