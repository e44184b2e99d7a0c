import type { ServerProcess } from "./pinned-process.js";

/** A server and a load on it. */
export interface Contestant {
  readonly name: string;
  readonly server: Pick<ServerProcess, "cpuSeconds">;
  /** Makes ready what `measure` needs; its time does not count. */
  prepare?(seconds: number): Promise<void>;
  /** Answers calls per second, or what else the row counts. It may take another time when its work is of a fixed size. */
  measure(seconds: number): Promise<number>;
}

/** Of one round. */
export interface Figure {
  readonly perSecond: number;
  /** Calls per second of the server's CPU time: others who use the machine change it less. NaN where it is not known. */
  readonly perCpuSecond: number;
}

export const WARM_UP_S = 2;

/**
 * Measures the contestants in turn, A B C A B C, so that a machine that gets slower gets slower for all of them. What comes
 * before the first round is not counted. Answers each contestant's figures in the order of the rounds.
 */
export async function measureRounds(
  contestants: readonly Contestant[],
  { seconds, rounds }: { readonly seconds: number; readonly rounds: number },
): Promise<Map<string, readonly Figure[]>> {
  for (const contestant of contestants) await measureOnce(contestant, WARM_UP_S);
  const figures = new Map(contestants.map(({ name }) => [name, [] as Figure[]]));
  for (let round = 0; round < rounds; round += 1) {
    for (const contestant of contestants) figures.get(contestant.name)?.push(await measureOnce(contestant, seconds));
  }
  return figures;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The least value that so many percent of them do not exceed. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}

async function measureOnce(contestant: Contestant, seconds: number): Promise<Figure> {
  await contestant.prepare?.(seconds);
  const cpuBefore = contestant.server.cpuSeconds();
  const startedAt = performance.now();
  const perSecond = await contestant.measure(seconds);
  const elapsedSeconds = (performance.now() - startedAt) / 1000;
  return { perSecond, perCpuSecond: (perSecond * elapsedSeconds) / (contestant.server.cpuSeconds() - cpuBefore) };
}
