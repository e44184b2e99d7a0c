import { ServiceError } from "../errors.js";
import { DataDirectoryError } from "../secrets/data-directory-error.js";

/**
 * What a user is told about a failure: the message when it is one that an operator can do something about (the data
 * directory, the store, a port in use), the stack when it is a defect.
 */
export function failureText(error: unknown): string {
  const { message, stack, syscall } = error as NodeJS.ErrnoException;
  const isExpected = error instanceof DataDirectoryError || error instanceof ServiceError || syscall !== undefined;
  return isExpected ? message : (stack ?? String(error));
}
