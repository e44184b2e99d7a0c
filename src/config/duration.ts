const MS_PER_UNIT: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const WHOLE = /^(?:\d{1,15}(?:ms|s|m|h|d))+$/;
const PART = /(\d+)(ms|s|m|h|d)/g;

/**
 * Milliseconds of a duration as configuration writes it: whole numbers, each with a unit of `ms`, `s`, `m`, `h` or
 * `d`, one after the other: `500ms`, `2s`, `1h30m`, `30d`. `undefined` for anything else.
 */
export function parseDuration(text: string): number | undefined {
  if (!WHOLE.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit = ""] of text.matchAll(PART)) {
    totalMs += Number(amount) * (MS_PER_UNIT[unit] ?? Number.NaN);
  }
  return Number.isSafeInteger(totalMs) ? totalMs : undefined;
}
