import type { Document } from "mongodb";
import { ServiceError } from "../../errors.js";

/** The server's clock, of its answer to `hello`. Throws UNAVAILABLE. */
export function serverTime({ localTime }: Document): Date {
  if (!(localTime instanceof Date)) throw new ServiceError("UNAVAILABLE", "the server does not tell its time");
  return localTime;
}
