import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { AdminImportApiKeyRequest, ApiKeysService } from "../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import { ImportedApiKeySchema, IssuedApiKeySchema } from "../../gen/latchkey/v2alpha1/resources_pb.js";
import type { DomainContext } from "../domain/context.js";
import { deleteImportedKey } from "../domain/delete-key.js";
import { deriveToken } from "../domain/derive-token.js";
import { getKey } from "../domain/get-key.js";
import { type ImportKeyInput, importKey, importKeys } from "../domain/import-key.js";
import { issueKey } from "../domain/issue-key.js";
import { revokeKey } from "../domain/revoke-key.js";
import { rotateKey } from "../domain/rotate-key.js";
import { runBatch } from "../domain/run-batch.js";
import { selfRevokeKey } from "../domain/self-revoke-key.js";
import { updateKey } from "../domain/update-key.js";
import { type VerifyKeyInput, verifyKey, verifyKeys } from "../domain/verify-key.js";
import { invalidArgument } from "../errors.js";
import type { PageTokenKeys } from "../query/page-token.js";
import type { KeyKind, KeyRecord } from "../store/key-store.js";
import { messageFromImports, refuseBatchSize } from "./batch-results.js";
import { freshnessFromHeaders } from "./cache-control.js";
import { durationToMs } from "./duration-ms.js";
import { algorithmFromMessage, revocationReasonFromMessage, visibilityFromMessage } from "./enums.js";
import { answerJwks, type PublicJwks } from "./jwks.js";
import { importedKeyMask, issuedKeyMask, rotationMask } from "./key-masks.js";
import { importedApiKeyFromRecord, issuedApiKeyFromRecord } from "./key-messages.js";
import { attributesFromMessage, maskedAttributes, parseKeyId } from "./key-requests.js";
import { listPage } from "./list-request.js";
import { messageFromToken } from "./token-message.js";
import type { HandlerCall, UnaryHandlers } from "./unary-handlers.js";
import { messageFromBatchItem, messageFromVerification, presentedFrom } from "./verification-message.js";

const MAX_IMPORTS = 1_000;
const MAX_VERIFICATIONS = 100;

/** `AdminRevokeApiKeyRequest.collection` -> the kind of key it holds. */
const KIND_OF_COLLECTION: Readonly<Record<string, KeyKind | undefined>> = {
  "": undefined,
  issuedApiKeys: "issued",
  importedApiKeys: "imported",
};

export interface ApiKeysHandlersOptions {
  readonly pageTokenKeys: () => PageTokenKeys;
  /** The public keys of derived JWTs as they are at the moment. */
  readonly publicJwks: () => PublicJwks;
}

/** `ApiKeysService`: messages to values of the domain and back, and no rule of its own. */
export function createApiKeysHandlers(
  context: DomainContext,
  { pageTokenKeys, publicJwks }: ApiKeysHandlersOptions,
): UnaryHandlers<typeof ApiKeysService> {
  const show = (record: KeyRecord, time = context.clock()): MessageInitShape<typeof IssuedApiKeySchema> =>
    issuedApiKeyFromRecord(record, time);
  const showImported = (record: KeyRecord, time = context.clock()) => importedApiKeyFromRecord(record, time);

  return {
    async adminIssueApiKey(request, { tenantId, caller }) {
      const { record, secret } = await issueKey(context, {
        tenantId,
        caller,
        requestId: request.requestId,
        actorId: request.actorId,
        ...attributesFromMessage(request),
        visibility: visibilityFromMessage("visibility", request.visibility),
        ttlMs: request.ttl && durationToMs("ttl", request.ttl),
      });
      return { issuedApiKey: show(record), ...shownSecret(secret) };
    },

    async adminGetIssuedApiKey(request, { tenantId }) {
      return show(await getKey(context, { tenantId, keyId: parseKeyId("key_id", request.keyId) }, "issued"));
    },

    async adminListIssuedApiKeys(request, { tenantId }) {
      const { records, time, nextPageToken } = await listPage(context, pageTokenKeys(), request, {
        tenantId,
        kind: "issued",
        bytesOf: (record) => toBinary(IssuedApiKeySchema, create(IssuedApiKeySchema, show(record))).length,
      });
      return { issuedApiKeys: records.map((record) => show(record, time)), nextPageToken };
    },

    async adminUpdateIssuedApiKey({ issuedApiKey, updateMask }, { tenantId }) {
      if (issuedApiKey === undefined) throw invalidArgument("issued_api_key", "is required");
      const path = "issued_api_key.";
      const fields = issuedKeyMask(issuedApiKey, updateMask);
      const record = await updateKey(context, {
        tenantId,
        keyId: parseKeyId(`${path}key_id`, issuedApiKey.keyId),
        kind: "issued",
        attributes: maskedAttributes(issuedApiKey, fields, path),
        path,
      });
      return show(record);
    },

    async adminRotateIssuedApiKey(request, { tenantId, caller }) {
      const fields = rotationMask(request, request.updateMask);
      const { record, secret, old } = await rotateKey(context, {
        tenantId,
        caller,
        requestId: request.requestId,
        keyId: parseKeyId("key_id", request.keyId),
        overrides: {
          ...maskedAttributes(request, fields),
          ...(fields.has("visibility") && { visibility: visibilityFromMessage("visibility", request.visibility) }),
        },
        gracePeriodMs: request.gracePeriod ? durationToMs("grace_period", request.gracePeriod) : 0,
      });
      return { issuedApiKey: show(record), ...shownSecret(secret), oldIssuedApiKey: show(old) };
    },

    async adminImportApiKey(request, call) {
      return showImported(await importKey(context, importInput(request, call)));
    },

    async adminBatchImportApiKeys({ requests }, call) {
      refuseBatchSize(requests.length, MAX_IMPORTS);
      const outcomes = await runBatch(
        requests,
        (request) => importInput(request, call),
        (inputs) => importKeys(context, inputs),
      );
      return messageFromImports(outcomes, context.clock());
    },

    async adminGetImportedApiKey(request, { tenantId }) {
      return showImported(await getKey(context, { tenantId, keyId: parseKeyId("key_id", request.keyId) }, "imported"));
    },

    async adminListImportedApiKeys(request, { tenantId }) {
      const { records, time, nextPageToken } = await listPage(context, pageTokenKeys(), request, {
        tenantId,
        kind: "imported",
        bytesOf: (record) => toBinary(ImportedApiKeySchema, create(ImportedApiKeySchema, showImported(record))).length,
      });
      return { importedApiKeys: records.map((record) => showImported(record, time)), nextPageToken };
    },

    async adminUpdateImportedApiKey({ importedApiKey, updateMask }, { tenantId }) {
      if (importedApiKey === undefined) throw invalidArgument("imported_api_key", "is required");
      const path = "imported_api_key.";
      const fields = importedKeyMask(importedApiKey, updateMask);
      const record = await updateKey(context, {
        tenantId,
        keyId: parseKeyId(`${path}key_id`, importedApiKey.keyId),
        kind: "imported",
        attributes: maskedAttributes(importedApiKey, fields, path),
        path,
      });
      return showImported(record);
    },

    async adminDeleteImportedApiKey(request, { tenantId }) {
      await deleteImportedKey(context, { tenantId, keyId: parseKeyId("key_id", request.keyId) });
      return {};
    },

    async adminRevokeApiKey(request, { tenantId }) {
      if (!Object.hasOwn(KIND_OF_COLLECTION, request.collection)) {
        throw invalidArgument("collection", "must be issuedApiKeys, importedApiKeys or empty");
      }
      await revokeKey(context, {
        tenantId,
        keyId: parseKeyId("key_id", request.keyId),
        kind: KIND_OF_COLLECTION[request.collection],
        reason: revocationReasonFromMessage("reason", request.reason),
        description: request.description,
      });
      return {};
    },

    async adminVerifyApiKey(request, call) {
      return messageFromVerification(
        await verifyKey(context, verifyInput(request, call), freshnessFromHeaders(call.requestHeaders)),
      );
    },

    async adminBatchVerifyApiKeys({ requests }, call) {
      refuseBatchSize(requests.length, MAX_VERIFICATIONS);
      const verifications = await runBatch(
        requests,
        (request) => verifyInput(request, call),
        (inputs) => verifyKeys(context, call.tenantId, inputs, freshnessFromHeaders(call.requestHeaders)),
      );
      return { results: verifications.map(messageFromBatchItem) };
    },

    async adminDeriveToken(request, call) {
      const derived = await deriveToken(context, {
        ...verifyInput(request, call),
        algorithm: algorithmFromMessage("algorithm", request.algorithm),
        ttlMs: request.ttl && durationToMs("ttl", request.ttl),
        scopes: request.scopes,
        customClaims: request.customClaims,
      });
      return messageFromToken(derived);
    },

    async getJwks(_request, call) {
      return answerJwks(publicJwks(), call);
    },

    async revokeApiKey({ credential, reason }, { tenantId, clientAddress }) {
      await selfRevokeKey(context, {
        tenantId,
        credential,
        reason: revocationReasonFromMessage("reason", reason),
        clientAddress,
      });
      return {};
    },
  };
}

/** The answer to a repetition says so when it is too late for the secret. */
function shownSecret(secret: string | undefined) {
  return secret === undefined ? { secretExpired: true } : { secret };
}

function importInput(request: AdminImportApiKeyRequest, { tenantId, caller }: HandlerCall): ImportKeyInput {
  return {
    tenantId,
    caller,
    requestId: request.requestId,
    rawKey: request.rawKey,
    actorId: request.actorId,
    ...attributesFromMessage(request),
    visibility: visibilityFromMessage("visibility", request.visibility),
    ttlMs: request.ttl && durationToMs("ttl", request.ttl),
  };
}

interface PresentedCredential {
  readonly credential: string;
  readonly clientIp: string;
}

function verifyInput(
  { credential, clientIp }: PresentedCredential,
  { tenantId, clientAddress }: HandlerCall,
): VerifyKeyInput {
  return { tenantId, credential, clientAddress: presentedFrom(clientIp, clientAddress) };
}
