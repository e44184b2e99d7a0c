/**
 * Runs in a service before its own code (`node --expose-gc --import`): at SIGUSR2 it collects the garbage and says on stderr
 * what is left, in bytes, as `heap <bytes>`: JavaScript's objects, and what they hold outside, such as buffers and sessions.
 */
import { isMainThread } from "node:worker_threads";

// Threads load this as well, and get no signals.
if (isMainThread) {
  if (gc === undefined) throw new Error("started without --expose-gc");
  const collect = gc;
  process.on("SIGUSR2", () => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    process.stderr.write(`heap ${heapUsed + external}\n`);
  });
}
