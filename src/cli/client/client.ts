import type { JsonObject } from "@bufbuild/protobuf";
import type { ApiKeysService } from "../../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import { type FieldViolation, ServiceError } from "../../errors.js";
import { StoreUnreachableError } from "../../store/store-unreachable-error.js";

/** Local name of a method of `ApiKeysService`, such as `adminIssueApiKey`. */
export type Rpc = keyof (typeof ApiKeysService)["method"];

/** How long a call, or a question for its health, may take before the service counts as unreachable. */
export const CALL_TIMEOUT_MS = 30_000;

/** One way to call the service. */
export interface Client {
  /**
   * Calls a method. Requests and answers are ProtoJSON as REST has it: snake_case names, and in a request durations such as
   * `1h30m` too. Rejects with a CallFailure, or with a ServiceError when it was refused in this process.
   */
  call(rpc: Rpc, request: JsonObject): Promise<JsonObject>;
  /** Whether the service can answer calls now: `SERVING`, or another name of `ServingStatus`. Rejects with a CallFailure. */
  checkHealth(): Promise<string>;
  close(): Promise<void>;
}

export interface CallFailureDetails {
  /** `google.rpc.ErrorInfo.reason`; empty when the answer has none. */
  readonly reason?: string;
  readonly fields?: readonly FieldViolation[];
  /** The service, or its store, was not there or did not answer in time. */
  readonly isUnreachable?: boolean;
}

/** A call that was refused, or did not reach anybody. The message is for people. */
export class CallFailure extends Error {
  override readonly name = "CallFailure";
  readonly reason: string;
  readonly fields: readonly FieldViolation[];
  readonly isUnreachable: boolean;

  constructor(message: string, { reason = "", fields = [], isUnreachable = false }: CallFailureDetails = {}) {
    super(message);
    this.reason = reason;
    this.fields = fields;
    this.isUnreachable = isUnreachable;
  }
}

/** Codes of a service, as gRPC names them, that say to try again later. */
const UNREACHABLE_CODES: ReadonlySet<string> = new Set(["UNAVAILABLE", "DEADLINE_EXCEEDED"]);

export function isUnreachableCode(code: string): boolean {
  return UNREACHABLE_CODES.has(code);
}

/** How Node and OpenSSL speak of a certificate that is not trusted, or not the host's. */
const CERTIFICATE_PROBLEM = /cert|leaf_signature/i;

/** How they speak of an answer in cleartext to the first message of TLS. */
const NO_TLS = /wrong.version.number/i;

/** What is said when nobody answers. `why` is such as `ECONNREFUSED`. */
export function unreachable(endpoint: string, why: string): CallFailure {
  const advice = CERTIFICATE_PROBLEM.test(why)
    ? "if its certificate is of an authority of your own, name that one's file with NODE_EXTRA_CA_CERTS"
    : NO_TLS.test(why)
      ? "what answers there does not speak TLS"
      : "is the service running there?";
  return new CallFailure(`${endpoint} cannot be reached (${why}): ${advice}`, { isUnreachable: true });
}

/** A call that failed, in this process too; `undefined` for what else was thrown. */
export function asCallFailure(error: unknown): CallFailure | undefined {
  if (error instanceof CallFailure) return error;
  if (!(error instanceof ServiceError)) return undefined;
  const { message, reason, fields } = error;
  // A store that refuses is UNAVAILABLE too, and the same would not work later.
  return new CallFailure(message, { reason, fields, isUnreachable: error instanceof StoreUnreachableError });
}
