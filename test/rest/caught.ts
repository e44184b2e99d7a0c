import { ServiceError } from "../../src/errors.js";

/** What a call was refused with, in one comparable value. Anything but a ServiceError is thrown on. */
export function caught(call: () => unknown): { reason: string; message: string } | undefined {
  try {
    call();
  } catch (error) {
    if (error instanceof ServiceError) return { reason: error.reason, message: error.message };
    throw error;
  }
  return undefined;
}

export function invalid(message: string): { reason: string; message: string } {
  return { reason: "INVALID_ARGUMENT", message };
}
