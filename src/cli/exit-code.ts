/** What the process says at its end. Scripts rely on it. */
export const EXIT_CODE = {
  ok: 0,
  /** Something was refused or is invalid. */
  failed: 1,
  /** The command line itself is wrong. */
  usage: 2,
  /** The service, or the store behind it, cannot be reached or did not answer in time: trying again may help. */
  unreachable: 3,
} as const;

export type ExitCode = (typeof EXIT_CODE)[keyof typeof EXIT_CODE];
