const BYTES_PER_UNIT: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

const SIZE = /^(\d{1,15}) ?(KiB|MiB|GiB)$/;

/** Bytes of a size as configuration writes it: a whole number of `KiB`, `MiB` or `GiB`. `undefined` for anything else. */
export function parseByteSize(text: string): number | undefined {
  const [, amount, unit = ""] = SIZE.exec(text) ?? [];
  const bytes = Number(amount) * (BYTES_PER_UNIT[unit] ?? Number.NaN);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
