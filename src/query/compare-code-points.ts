/** Where surrogates begin: above them in UTF-16 are code points that are below what a pair of them stands for. */
const FIRST_SURROGATE = 0xd800;
const LAST_SURROGATE = 0xdfff;
/** More than any code unit that is no surrogate. */
const ABOVE_UNITS = 0x10000;

/**
 * The order of two texts by their code points, which is that of their UTF-8 and the one that databases use: negative, zero or
 * positive. `<` compares UTF-16, where U+FF5E is after U+1F600.
 */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const [unitA, unitB] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (unitA !== unitB) return rank(unitA) - rank(unitB);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  return unit >= FIRST_SURROGATE && unit <= LAST_SURROGATE ? unit + ABOVE_UNITS : unit;
}
