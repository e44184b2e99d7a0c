/**
 * Preloaded into a service (`node --import`), it puts its clock forward by LATCHKEY_TEST_CLOCK_OFFSET_MS. The monotonic clock,
 * as that of a host with a wrong date, is right.
 */
const offsetMs = Number(process.env.LATCHKEY_TEST_CLOCK_OFFSET_MS);
const RealDate = Date;
const now = () => RealDate.now() + offsetMs;

globalThis.Date = new Proxy(RealDate, {
  construct: (target, words) => Reflect.construct(target, words.length === 0 ? [now()] : words),
  get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
});
