/** Whether a stored value has `sought` anywhere: in a text, among bytes, or in the name of a field. */
export function recordHolds(value: unknown, sought: string | Buffer): boolean {
  if (typeof value === "string") return Buffer.from(value).includes(sought);
  if (value instanceof Uint8Array) return Buffer.from(value).includes(sought);
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([name, item]) => recordHolds(name, sought) || recordHolds(item, sought));
}
