import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  AdminRotateIssuedApiKeyRequestSchema,
  type ApiKeysService,
} from "../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import { IssuedApiKeySchema } from "../../gen/latchkey/v2alpha1/resources_pb.js";
import type { DomainContext } from "../domain/context.js";
import { getKey } from "../domain/get-key.js";
import { issueKey } from "../domain/issue-key.js";
import { revokeKey } from "../domain/revoke-key.js";
import { rotateKey } from "../domain/rotate-key.js";
import { updateKey } from "../domain/update-key.js";
import { verifyKey } from "../domain/verify-key.js";
import { invalidArgument } from "../errors.js";
import type { PageTokenKeys } from "../query/page-token.js";
import type { KeyKind, KeyRecord } from "../store/key-store.js";
import { durationToMs } from "./duration-ms.js";
import { revocationReasonFromMessage, visibilityFromMessage } from "./enums.js";
import { issuedApiKeyFromRecord } from "./key-messages.js";
import { attributesFromMessage, maskedAttributes, maskedFields, parseKeyId, refuseRequestId } from "./key-requests.js";
import { listPage } from "./list-request.js";
import type { UnaryHandlers } from "./unary-handlers.js";
import { clientAddress, messageFromVerification } from "./verification-message.js";

/** `AdminRevokeApiKeyRequest.collection` -> the kind of key it holds. */
const KIND_OF_COLLECTION: Readonly<Record<string, KeyKind | undefined>> = {
  "": undefined,
  issuedApiKeys: "issued",
  importedApiKeys: "imported",
};

/** `ApiKeysService`: messages to values of the domain and back, and no rule of its own. */
export function createApiKeysHandlers(
  context: DomainContext,
  pageTokenKeys: PageTokenKeys,
): UnaryHandlers<typeof ApiKeysService> {
  const show = (record: KeyRecord, time = context.clock()): MessageInitShape<typeof IssuedApiKeySchema> =>
    issuedApiKeyFromRecord(record, time);

  return {
    async adminIssueApiKey(request, { tenantId }) {
      refuseRequestId(request.requestId);
      const { record, secret } = await issueKey(context, {
        tenantId,
        actorId: request.actorId,
        ...attributesFromMessage(request),
        visibility: visibilityFromMessage("visibility", request.visibility),
        ttlMs: request.ttl && durationToMs("ttl", request.ttl),
      });
      return { issuedApiKey: show(record), secret };
    },

    async adminGetIssuedApiKey(request, { tenantId }) {
      return show(await getKey(context, { tenantId, keyId: parseKeyId("key_id", request.keyId) }, "issued"));
    },

    async adminListIssuedApiKeys(request, { tenantId }) {
      const { records, time, nextPageToken } = await listPage(context, pageTokenKeys, request, {
        tenantId,
        kind: "issued",
        bytesOf: (record) => toBinary(IssuedApiKeySchema, create(IssuedApiKeySchema, show(record))).length,
      });
      return { issuedApiKeys: records.map((record) => show(record, time)), nextPageToken };
    },

    async adminUpdateIssuedApiKey({ issuedApiKey, updateMask }, { tenantId }) {
      if (issuedApiKey === undefined) throw invalidArgument("issued_api_key", "is required");
      const path = "issued_api_key.";
      const fields = maskedFields(IssuedApiKeySchema, issuedApiKey, updateMask);
      const record = await updateKey(context, {
        tenantId,
        keyId: parseKeyId(`${path}key_id`, issuedApiKey.keyId),
        kind: "issued",
        attributes: maskedAttributes(issuedApiKey, fields, path),
        path,
      });
      return show(record);
    },

    async adminRotateIssuedApiKey(request, { tenantId }) {
      refuseRequestId(request.requestId);
      const fields = maskedFields(AdminRotateIssuedApiKeyRequestSchema, request, request.updateMask);
      const { record, secret, old } = await rotateKey(context, {
        tenantId,
        keyId: parseKeyId("key_id", request.keyId),
        overrides: {
          ...maskedAttributes(request, fields),
          ...(fields.has("visibility") && { visibility: visibilityFromMessage("visibility", request.visibility) }),
        },
        gracePeriodMs: request.gracePeriod ? durationToMs("grace_period", request.gracePeriod) : 0,
      });
      return { issuedApiKey: show(record), secret, oldIssuedApiKey: show(old) };
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

    async adminVerifyApiKey({ credential, clientIp }, { tenantId, peerAddress }) {
      return messageFromVerification(
        await verifyKey(context, { tenantId, credential, clientAddress: clientAddress(clientIp, peerAddress) }),
      );
    },
  };
}
