/** A file or directory under the data directory that the service cannot start with. The message says which and why. */
export class DataDirectoryError extends Error {
  override readonly name = "DataDirectoryError";
  readonly path: string;

  constructor(path: string, problem: string, cause?: unknown) {
    super(`${path}: ${problem}`, cause === undefined ? undefined : { cause });
    this.path = path;
  }
}

/** A failed system call as a `DataDirectoryError`; anything else is not ours to explain and is thrown on. */
export function dataDirectoryFailure(path: string, doing: string, error: unknown): DataDirectoryError {
  const code = systemErrorCode(error);
  if (code === undefined) throw error;
  const reason = REASONS[code];
  return new DataDirectoryError(path, `${doing} failed: ${reason === undefined ? code : `${reason} (${code})`}`, error);
}

/** The code of a failed system call, such as `ENOENT`. */
export function systemErrorCode(error: unknown): string | undefined {
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === "string" ? code : undefined;
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "this user may not do that",
  EEXIST: "a file is in the way",
  EPERM: "this user or file system does not permit that",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  ENOTDIR: "part of the path is not a directory",
  EISDIR: "it is a directory",
};
