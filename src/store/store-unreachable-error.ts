import { ServiceError, type ServiceErrorDetails } from "../errors.js";

/** UNAVAILABLE because the store does not answer: the same may work later. Not for what it refuses. */
export class StoreUnreachableError extends ServiceError {
  constructor(message: string, details?: ServiceErrorDetails) {
    super("UNAVAILABLE", message, details);
  }
}
