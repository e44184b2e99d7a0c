/** Results of batches: each item has an answer of its own. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type AdminBatchImportApiKeysResponseSchema,
  BatchImportErrorCode,
} from "../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import type { ImportOutcome } from "../domain/import-key.js";
import { type FieldViolation, invalidArgument, type Reason, ServiceError } from "../errors.js";
import { importedApiKeyFromRecord } from "./key-messages.js";

const ERROR_CODES: Partial<Readonly<Record<Reason, BatchImportErrorCode>>> = {
  INVALID_ARGUMENT: BatchImportErrorCode.BATCH_IMPORT_ERROR_INVALID_ARGUMENT,
  API_KEY_EXISTS: BatchImportErrorCode.BATCH_IMPORT_ERROR_ALREADY_EXISTS,
};

/** Throws INVALID_ARGUMENT for a batch without requests or with more than `max`. */
export function refuseBatchSize(size: number, max: number): void {
  if (size === 0) throw invalidArgument("requests", "is required");
  if (size > max) throw invalidArgument("requests", `must be at most ${max} requests`);
}

/** Throws when nothing was imported: the reason that all failures have in common, else INVALID_ARGUMENT. */
export function messageFromImports(
  outcomes: readonly ImportOutcome[],
  now: Date,
): MessageInitShape<typeof AdminBatchImportApiKeysResponseSchema> {
  const failures = outcomes.flatMap((outcome, index) =>
    outcome instanceof ServiceError ? [{ index, error: outcome }] : [],
  );
  if (failures.length === outcomes.length) throw allFailed(failures);
  return {
    results: outcomes.map((outcome, index) => ({
      index,
      ...(outcome instanceof ServiceError
        ? { errorCode: errorCode(outcome), errorMessage: outcome.message }
        : { importedApiKey: importedApiKeyFromRecord(outcome, now) }),
    })),
    successCount: outcomes.length - failures.length,
    failureCount: failures.length,
  };
}

function errorCode({ reason }: ServiceError): BatchImportErrorCode {
  return ERROR_CODES[reason] ?? BatchImportErrorCode.BATCH_IMPORT_ERROR_INTERNAL;
}

function allFailed(failures: readonly { readonly index: number; readonly error: ServiceError }[]): ServiceError {
  const reasons = new Set(failures.map(({ error }) => error.reason));
  const [first] = reasons;
  const reason = reasons.size === 1 && first !== undefined ? first : "INVALID_ARGUMENT";
  return new ServiceError(reason, `none of the ${failures.length} keys was imported`, {
    fields: failures.map(
      ({ index, error }): FieldViolation => ({
        field: `requests[${index}]`,
        description: error.message,
      }),
    ),
    metadata: { success_count: "0", failure_count: String(failures.length) },
  });
}
