/** As `JSON.parse` answers it. Mutable because protobuf-es asks for that. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [name: string]: Json;
}

/** Name of an RPC of ApiKeysService. */
export type Rpc =
  | "AdminIssueApiKey"
  | "AdminGetIssuedApiKey"
  | "AdminListIssuedApiKeys"
  | "AdminUpdateIssuedApiKey"
  | "AdminRotateIssuedApiKey"
  | "AdminImportApiKey"
  | "AdminBatchImportApiKeys"
  | "AdminGetImportedApiKey"
  | "AdminListImportedApiKeys"
  | "AdminUpdateImportedApiKey"
  | "AdminDeleteImportedApiKey"
  | "AdminRevokeApiKey"
  | "AdminVerifyApiKey"
  | "AdminBatchVerifyApiKeys"
  | "AdminDeriveToken"
  | "GetJwks"
  | "RevokeApiKey";

export interface CallOptions {
  /** Bearer token; absent: no Authorization header. */
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface FieldFault {
  readonly field: string;
  readonly description: string;
}

export interface Answer {
  readonly ok: true;
  /** ProtoJSON with snake_case names, enums by name, int64 as text, and every field without presence. */
  readonly response: JsonObject;
  /** Headers and trailers. */
  readonly headers: Headers;
}

export interface Refusal {
  readonly ok: false;
  /** Such as `NOT_FOUND`. */
  readonly code: string;
  /** `google.rpc.ErrorInfo.reason`; empty when there is no ErrorInfo. */
  readonly reason: string;
  readonly message: string;
  readonly fields: readonly FieldFault[];
  /** `google.rpc.ErrorInfo.metadata`. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly headers: Headers;
}

/** One way to call the service. The same case list runs through all of them. */
export interface ApiClient {
  /** `request` is ProtoJSON with snake_case names; an `update_mask` is a text of comma-separated snake_case names. */
  call(rpc: Rpc, request: JsonObject, options?: CallOptions): Promise<Answer | Refusal>;
  close(): void;
}

export function bearer(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}
