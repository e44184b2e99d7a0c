import { ApiKeysService } from "../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import { createApiKeysHandlers } from "../handlers/api-keys-handlers.js";
import { publicJwks } from "../secrets/signing-key-set.js";
import { createRpcService, type RpcService } from "../server/rpc-method.js";
import type { Domain } from "./open-domain.js";

/** `ApiKeysService` on what was opened: what a server answers, and what the command line does without one. */
export function createApiKeysService({ context, secrets, signingKeys }: Domain): RpcService {
  return createRpcService(ApiKeysService, {
    handlers: createApiKeysHandlers(context, {
      pageTokenKeys: () => secrets.keyRing.derive("latchkey/page-token/v1"),
      publicJwks: () => publicJwks(signingKeys.current()),
    }),
  });
}
