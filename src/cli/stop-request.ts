/** Aborted by the first SIGINT or SIGTERM. The second ends the process, as it does by itself. */
export function stopRequest(): AbortSignal {
  const controller = new AbortController();
  const stop = () => {
    process.off("SIGINT", stop).off("SIGTERM", stop);
    controller.abort();
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);
  return controller.signal;
}
