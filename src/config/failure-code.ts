/** The system's code for a failure, such as `ENOENT`: unlike its message, it names no file and holds no value. */
export function failureCode(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code === "string") return code;
  throw error;
}
