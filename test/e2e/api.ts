/** The service as the cases use it: through any client, with the answers' fields by name. */
import type { Answer, ApiClient, CallOptions, FieldFault, JsonObject, Refusal, Rpc } from "./clients/api-client.js";
import { findPrivateParameters } from "./find-private-parameters.js";
import { findSecrets } from "./find-secrets.js";
import type { SigningJwk, Tokens } from "./server.js";

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
  readonly secret_expired: boolean;
}

export interface RotateAnswer extends IssueAnswer {
  readonly old_issued_api_key: KeyJson;
}

export interface ListAnswer {
  readonly issued_api_keys: readonly KeyJson[];
  readonly next_page_token: string;
}

export interface ImportedListAnswer {
  readonly imported_api_keys: readonly KeyJson[];
  readonly next_page_token: string;
}

export interface BatchImportAnswer {
  readonly results: readonly {
    readonly index: number;
    readonly imported_api_key?: KeyJson;
    readonly error_code: string;
    readonly error_message: string;
  }[];
  readonly success_count: number;
  readonly failure_count: number;
}

export interface TokenJson {
  readonly token: string;
  readonly expire_time: string;
  readonly scopes: string[];
  readonly claims: JsonObject;
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
export const CREDENTIAL_REQUIRED = invalid("credential", "is required", "CREDENTIAL_REQUIRED");

export class Api {
  /** Every secret that went over the wire, to be looked for in the log. */
  readonly secrets = new Set<string>();

  constructor(
    readonly client: ApiClient,
    readonly tokens: Tokens,
    /** Absent: no case signs tokens itself, and answers are looked through for private JWKs only by their form. */
    readonly signingJwk?: SigningJwk,
  ) {}

  /**
   * The call as it is; with the admin token unless `options` has another, or `undefined`.
   * @throws Error when the answer shows a private part of a signing key
   */
  async call(rpc: Rpc, request: JsonObject, options?: CallOptions): Promise<Answer | Refusal> {
    const outcome = await this.client.call(rpc, request, { token: this.tokens.admin, ...options });
    for (const message of outcome.ok ? [request, outcome.response] : [request]) {
      for (const secret of findSecrets(message)) this.secrets.add(secret);
    }
    const shown = findPrivateParameters(outcome, this.signingJwk);
    if (shown.length > 0) throw new Error(`${rpc} shows private parameters of a key: ${shown.join(", ")}`);
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

  issue(request: JsonObject, options?: CallOptions): Promise<IssueAnswer> {
    return this.#ask("AdminIssueApiKey", { name: "key", ...request }, options);
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

  rotate(keyId: string, request: JsonObject = {}, options?: CallOptions): Promise<RotateAnswer> {
    return this.#ask("AdminRotateIssuedApiKey", { key_id: keyId, ...request }, options);
  }

  importKey(request: JsonObject, options?: CallOptions): Promise<KeyJson> {
    return this.#ask("AdminImportApiKey", { name: "key", ...request }, options);
  }

  batchImport(requests: JsonObject[]): Promise<BatchImportAnswer> {
    return this.#ask("AdminBatchImportApiKeys", { requests });
  }

  getImported(keyId: string): Promise<KeyJson> {
    return this.#ask("AdminGetImportedApiKey", { key_id: keyId });
  }

  listImported(request: JsonObject): Promise<ImportedListAnswer> {
    return this.#ask("AdminListImportedApiKeys", request);
  }

  updateImported(key: JsonObject, mask?: string): Promise<KeyJson> {
    return this.#ask("AdminUpdateImportedApiKey", {
      imported_api_key: key,
      ...(mask !== undefined && { update_mask: mask }),
    });
  }

  deleteImported(keyId: string): Promise<JsonObject> {
    return this.#ask("AdminDeleteImportedApiKey", { key_id: keyId });
  }

  revoke(keyId: string, request: JsonObject = {}): Promise<JsonObject> {
    return this.#ask("AdminRevokeApiKey", { key_id: keyId, ...request });
  }

  verify(credential: string, request: JsonObject = {}, options?: CallOptions): Promise<JsonObject> {
    return this.#ask("AdminVerifyApiKey", { credential, ...request }, options);
  }

  /** The results, in the order of the requests. */
  async batchVerify(requests: JsonObject[], options?: CallOptions): Promise<JsonObject[]> {
    const { results } = await this.#ask<{ results: JsonObject[] }>("AdminBatchVerifyApiKeys", { requests }, options);
    return results;
  }

  async derive(credential: string, request: JsonObject = {}): Promise<TokenJson> {
    const { token } = await this.#ask<{ token: TokenJson }>("AdminDeriveToken", { credential, ...request });
    return token;
  }

  /** As its holder does it: without a bearer token. */
  selfRevoke(credential: string, request: JsonObject = {}, options?: CallOptions): Promise<JsonObject> {
    return this.#ask("RevokeApiKey", { credential, ...request }, { token: undefined, ...options });
  }

  /** The one cast between what is on the wire and what the API promises. */
  async #ask<T>(rpc: Rpc, request: JsonObject, options?: CallOptions): Promise<T> {
    return withoutLastUse(await this.ask(rpc, request, options)) as T;
  }
}

/** When a key was last used is written at any time after; `last-used.test.ts` is about that. */
function withoutLastUse(answer: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(answer, (name, value) => (name === "last_used_time" ? undefined : value)));
}
