import type { HangUps } from "./hang-ups.js";

/** npm passes on a signal that a terminal or an init system has sent to every process already: both mean one stop. */
const ECHO_MS = 1_000;

export interface StopSignals {
  /** Resolves at the first SIGTERM or SIGINT, or when the terminal closes. */
  readonly first: Promise<void>;
  /** Resolves at one that is not an echo of it: whoever sends it does not want to wait. */
  readonly again: Promise<void>;
}

/** Takes SIGTERM and SIGINT from now on, and where they are given, terminals that close. Without this, neither would end the first process of a container. */
export function takeStopSignals(hangUps?: HangUps): StopSignals {
  let stopFirst = () => {};
  let stopAgain = () => {};
  const signals = {
    first: new Promise<void>((resolve) => {
      stopFirst = resolve;
    }),
    again: new Promise<void>((resolve) => {
      stopAgain = resolve;
    }),
  };
  let firstMs: number | undefined;
  const onSignal = () => {
    firstMs ??= performance.now();
    stopFirst();
    if (performance.now() - firstMs > ECHO_MS) stopAgain();
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  void hangUps?.terminalClosed.then(onSignal);
  return signals;
}
