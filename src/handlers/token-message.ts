import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { AdminDeriveTokenResponseSchema } from "../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import type { DerivedToken } from "../domain/derive-token.js";

/** The answer of derive. */
export function messageFromToken(derived: DerivedToken): MessageInitShape<typeof AdminDeriveTokenResponseSchema> {
  const { token, claims, claimsJson } = derived;
  return {
    token: {
      token,
      expireTime: timestampFromDate(claims.expireTime),
      scopes: [...claims.scopes],
      claims: claimsJson,
    },
  };
}
