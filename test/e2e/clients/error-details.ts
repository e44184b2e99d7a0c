import { fromBinary } from "@bufbuild/protobuf";
import { BadRequestSchema, ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.js";
import type { FieldFault } from "./api-client.js";

/** A detail as the wire has it: the name of its message, and its bytes. */
export interface Detail {
  readonly type: string;
  readonly value: Uint8Array;
}

/** What the details of an error say. Throws when there is one that no error of this service has. */
export function readDetails(details: readonly Detail[]): { reason: string; fields: FieldFault[] } {
  let reason = "";
  const fields: FieldFault[] = [];
  for (const { type, value } of details) {
    if (type === ErrorInfoSchema.typeName) {
      const info = fromBinary(ErrorInfoSchema, value);
      if (info.domain !== "latchkey") throw new Error(`ErrorInfo has the domain ${info.domain}`);
      reason = info.reason;
    } else if (type === BadRequestSchema.typeName) {
      const { fieldViolations } = fromBinary(BadRequestSchema, value);
      fields.push(...fieldViolations.map(({ field, description }) => ({ field, description })));
    } else throw new Error(`unexpected detail ${type}`);
  }
  return { reason, fields };
}

/** The facts for programs that the details of an error hold. */
export function readMetadata(details: readonly Detail[]): Record<string, string> {
  const info = details.find(({ type }) => type === ErrorInfoSchema.typeName);
  return info === undefined ? {} : fromBinary(ErrorInfoSchema, info.value).metadata;
}
