const BAR_WIDTH = 24;
const MS_PER_SECOND = 1_000;
const SECONDS_PER_MINUTE = 60;

export interface Progress {
  readonly done: number;
  readonly total: number;
  /** Of `done`, what this run did, and how long it took. */
  readonly doneNow: number;
  readonly elapsedMs: number;
}

/** Such as `[======>                 ]  25%  25000/100000  5000/s  0:15 left`. */
export function formatProgress({ done, total, doneNow, elapsedMs }: Progress): string {
  const share = total === 0 ? 1 : done / total;
  const filled = Math.floor(share * BAR_WIDTH);
  const bar = filled === BAR_WIDTH ? "=".repeat(BAR_WIDTH) : `${"=".repeat(filled)}>`.padEnd(BAR_WIDTH);
  const rate = elapsedMs > 0 ? (doneNow * MS_PER_SECOND) / elapsedMs : 0;
  const left = rate > 0 ? `${formatSeconds((total - done) / rate)} left` : "";
  return `[${bar}] ${String(Math.floor(share * 100)).padStart(3)}%  ${done}/${total}  ${Math.round(rate)}/s  ${left}`.trimEnd();
}

function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  return `${Math.floor(whole / SECONDS_PER_MINUTE)}:${String(whole % SECONDS_PER_MINUTE).padStart(2, "0")}`;
}
