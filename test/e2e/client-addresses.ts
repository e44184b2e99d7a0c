let given = 0;

/** An IPv4 address of 10.0.0.0/8 that no other case of this process has, so that what is counted by address is its own. */
export function nextClientAddress(): string {
  given++;
  return `10.${(given >>> 16) & 0xff}.${(given >>> 8) & 0xff}.${given & 0xff}`;
}

/** As a trusted proxy names the client. */
export function forwardedFor(address: string): { readonly headers: Readonly<Record<string, string>> } {
  return { headers: { "x-forwarded-for": address } };
}
