import type { Message } from "@bufbuild/protobuf";

/**
 * `encode`, but a frozen message is encoded once: it cannot change, and its handler froze it because it will answer it again.
 * The result is shared, so nobody may write to it.
 */
export function createEncoder<T>(encode: (message: Message) => T): (message: Message) => T {
  const encoded = new WeakMap<Message, T>();
  return (message) => {
    if (!Object.isFrozen(message)) return encode(message);
    const known = encoded.get(message);
    if (known !== undefined) return known;
    const fresh = encode(message);
    encoded.set(message, fresh);
    return fresh;
  };
}
