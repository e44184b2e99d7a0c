import type { ServerProcess } from "../pinned-process.js";
import type { Contestant } from "../rounds.js";

/** Preparing may take longer than the work. */
const TIMEOUT_MS = 120_000;

/** Lets one of the loops of `bench/loops/` work; answers its figure. */
export async function measureLoop({ url }: ServerProcess, name: string, amount: number): Promise<number> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const answer = await fetch(`${url}/${name}`, { method: "POST", body: String(amount), signal });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${name} failed: ${text}`);
  return JSON.parse(text);
}

/** A loop that works for as long as it is told. */
export function loopContestant(name: string, server: ServerProcess, loop: string): Contestant {
  return { name, server, measure: (seconds) => measureLoop(server, loop, seconds) };
}
