import type { JsonObject } from "@bufbuild/protobuf";
import type { Config } from "../../config/config.js";
import { NIL_TENANT_ID } from "../../domain/context.js";
import type { HandlerCall } from "../../handlers/unary-handlers.js";
import { compileJsonDecoder } from "../../rest/json-decode.js";
import { compileJsonEncoder } from "../../rest/json-encode.js";
import { createApiKeysService } from "../create-api-keys-service.js";
import { openDomain } from "../open-domain.js";
import { GENERATED_TOKEN_NAME } from "../start-service.js";
import type { Client } from "./client.js";

/** Where calls come from that no socket brings: the rules of a key hold as they would for a call of this machine. */
const CLIENT_ADDRESS = "127.0.0.1";

/**
 * Calls the handlers in this process, on the store that the configuration names; it and its secrets are made when they are not
 * there; a store of an earlier format is refused. Whoever can open them may do everything, so nobody is asked for a token. `warn`
 * is told what was not kept.
 */
export async function openStoreClient(config: Config, warn: (warning: string) => void): Promise<Client> {
  const domain = await openDomain(config, "refuse", {
    onRefreshError: () => undefined, // in five minutes, when this process is gone
    onFeedError: () => undefined, // reads are fresh then
    onUsesNotWritten: () => warn("the last uses of keys could not be written"),
    onWarning: () => undefined, // about the deployment, in the log of every service
  });
  const { methods } = createApiKeysService(domain);

  return {
    async call(rpc, request) {
      const method = methods.find(({ desc }) => desc.localName === rpc);
      if (method?.invoke === undefined) throw new Error(`there is no ${rpc}`);
      const { input, output } = method.desc;
      const answer = await method.invoke(compileJsonDecoder(input)(request), createCall());
      return JSON.parse(compileJsonEncoder(output)(answer)) as JsonObject;
    },
    checkHealth: () =>
      domain.context.store.ping().then(
        () => "SERVING",
        () => "NOT_SERVING",
      ),
    close: () => domain.close(),
  };
}

/** The caller's name is the one of the generated token, so that a request_id is worth the same with and without a service. */
function createCall(): HandlerCall {
  return {
    tenantId: NIL_TENANT_ID,
    caller: GENERATED_TOKEN_NAME,
    clientAddress: CLIENT_ADDRESS,
    requestHeaders: {},
    query: "",
    timeoutMs: undefined,
    responseHeaders: new Headers(),
    responseTrailers: new Headers(),
  };
}
