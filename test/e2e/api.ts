/** The service as the cases use it: through any client, with the answers' fields by name. */
import type { Answer, ApiClient, CallOptions, FieldFault, JsonObject, Refusal, Rpc } from "./clients/api-client.js";
import type { Tokens } from "./server.js";

export interface KeyJson {
  readonly key_id: string;
  readonly name: string;
  readonly actor_id: string;
  readonly scopes: string[];
  readonly status: string;
  readonly visibility: string;
  readonly metadata?: JsonObject;
  readonly rate_limit_policy?: JsonObject;
  readonly ip_restriction?: { readonly allowed_cidrs: string[] };
  readonly create_time: string;
  readonly update_time: string;
  readonly expire_time?: string;
  readonly revocation_reason: string;
  readonly revocation_description: string;
}

export interface IssueAnswer {
  readonly issued_api_key: KeyJson;
  readonly secret: string;
}

export interface RotateAnswer extends IssueAnswer {
  readonly old_issued_api_key: KeyJson;
}

export interface ListAnswer {
  readonly issued_api_keys: readonly KeyJson[];
  readonly next_page_token: string;
}

/** A refusal without its headers, for `toEqual`. */
export interface RefusalFacts {
  readonly code: string;
  readonly reason: string;
  readonly message: string;
  readonly fields: readonly FieldFault[];
}

/** INVALID_ARGUMENT for one field, or another reason of that code. */
export function invalid(field: string, description: string, reason = "INVALID_ARGUMENT"): RefusalFacts {
  return { code: "INVALID_ARGUMENT", reason, message: `${field}: ${description}`, fields: [{ field, description }] };
}

export function refused(code: string, reason: string, message: string): RefusalFacts {
  return { code, reason, message, fields: [] };
}

export const KEY_NOT_FOUND = refused("NOT_FOUND", "API_KEY_NOT_FOUND", "API key not found");

export class Api {
  /** Every secret that went over the wire, to be looked for in the log. */
  readonly secrets = new Set<string>();

  constructor(
    readonly client: ApiClient,
    readonly tokens: Tokens,
  ) {}

  /** The call as it is; with the admin token unless `options` has another, or `undefined`. */
  async call(rpc: Rpc, request: JsonObject, options?: CallOptions): Promise<Answer | Refusal> {
    if (typeof request.credential === "string" && request.credential !== "") this.secrets.add(request.credential);
    const outcome = await this.client.call(rpc, request, { token: this.tokens.admin, ...options });
    if (outcome.ok && typeof outcome.response.secret === "string") this.secrets.add(outcome.response.secret);
    return outcome;
  }

  /** The response of a call that must succeed. */
  async ask(rpc: Rpc, request: JsonObject, options?: CallOptions): Promise<JsonObject> {
    const outcome = await this.call(rpc, request, options);
    if (!outcome.ok) throw new Error(`${rpc}: ${outcome.code} ${outcome.reason} ${outcome.message}`);
    return outcome.response;
  }

  /** The refusal of a call that must fail. */
  async refusal(rpc: Rpc, request: JsonObject, options?: CallOptions): Promise<RefusalFacts> {
    const outcome = await this.call(rpc, request, options);
    if (outcome.ok) throw new Error(`${rpc} was not refused`);
    const { code, reason, message, fields } = outcome;
    return { code, reason, message, fields };
  }

  issue(request: JsonObject): Promise<IssueAnswer> {
    return this.#ask("AdminIssueApiKey", { name: "key", ...request });
  }

  get(keyId: string): Promise<KeyJson> {
    return this.#ask("AdminGetIssuedApiKey", { key_id: keyId });
  }

  list(request: JsonObject): Promise<ListAnswer> {
    return this.#ask("AdminListIssuedApiKeys", request);
  }

  update(key: JsonObject, mask?: string): Promise<KeyJson> {
    return this.#ask("AdminUpdateIssuedApiKey", {
      issued_api_key: key,
      ...(mask !== undefined && { update_mask: mask }),
    });
  }

  rotate(keyId: string, request: JsonObject = {}): Promise<RotateAnswer> {
    return this.#ask("AdminRotateIssuedApiKey", { key_id: keyId, ...request });
  }

  revoke(keyId: string, request: JsonObject = {}): Promise<JsonObject> {
    return this.#ask("AdminRevokeApiKey", { key_id: keyId, ...request });
  }

  verify(credential: string, request: JsonObject = {}): Promise<JsonObject> {
    return this.#ask("AdminVerifyApiKey", { credential, ...request });
  }

  /** The one cast between what is on the wire and what the API promises. */
  async #ask<T>(rpc: Rpc, request: JsonObject): Promise<T> {
    return (await this.ask(rpc, request)) as T;
  }
}
