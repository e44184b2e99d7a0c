import type { ServiceError } from "../../src/errors.js";
import { connectErrorFromServiceError, ErrorAsGiven } from "../../src/server/error-map.js";
import { type Call, Pipeline, type RequestHead } from "../../src/server/pipeline.js";
import type { RpcMethod } from "../../src/server/rpc-method.js";

/**
 * The pipeline, but for the details of errors: each of ours has an ErrorInfo, and the suite holds every error to the details
 * that it asked for, which is none when the error is the server's own.
 */
export class PipelineWithoutDetails extends Pipeline {
  override open(method: RpcMethod | undefined, head: RequestHead): Call {
    const call = super.open(method, head);
    const fail = call.fail.bind(call);
    call.fail = (error) => withoutDetails(fail(error));
    return call;
  }
}

function withoutDetails(error: ServiceError): ServiceError {
  if (error instanceof ErrorAsGiven) return error;
  const connectError = connectErrorFromServiceError(error);
  connectError.details = [];
  return new ErrorAsGiven(connectError, error.reason);
}
