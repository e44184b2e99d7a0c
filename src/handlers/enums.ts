/** Enums of the API <-> values of the domain. */

import { TokenAlgorithm } from "../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import {
  KeyStatus as KeyStatusMessage,
  KeyVisibility,
  RevocationReason as RevocationReasonMessage,
} from "../../gen/latchkey/v2alpha1/resources_pb.js";
import type { DeriveTokenInput } from "../domain/derive-token.js";
import { invalidArgument } from "../errors.js";
import type { KeyStatus, RevocationReason, Visibility } from "../store/key-store.js";

const STATUSES: Readonly<Record<KeyStatus, KeyStatusMessage>> = {
  active: KeyStatusMessage.ACTIVE,
  revoked: KeyStatusMessage.REVOKED,
  expired: KeyStatusMessage.EXPIRED,
};

const VISIBILITIES: Readonly<Record<Visibility, KeyVisibility>> = {
  secret: KeyVisibility.SECRET,
  public: KeyVisibility.PUBLIC,
};

const REVOCATION_REASONS: Readonly<Record<RevocationReason, RevocationReasonMessage>> = {
  unspecified: RevocationReasonMessage.UNSPECIFIED,
  key_compromise: RevocationReasonMessage.KEY_COMPROMISE,
  affiliation_changed: RevocationReasonMessage.AFFILIATION_CHANGED,
  superseded: RevocationReasonMessage.SUPERSEDED,
  privilege_withdrawn: RevocationReasonMessage.PRIVILEGE_WITHDRAWN,
};

const TOKEN_ALGORITHMS: Readonly<Record<DeriveTokenInput["algorithm"], TokenAlgorithm>> = {
  jwt: TokenAlgorithm.JWT,
  macaroon: TokenAlgorithm.MACAROON,
};

export function messageFromStatus(status: KeyStatus): KeyStatusMessage {
  return STATUSES[status];
}

export function messageFromVisibility(visibility: Visibility): KeyVisibility {
  return VISIBILITIES[visibility];
}

export function messageFromRevocationReason(reason: RevocationReason): RevocationReasonMessage {
  return REVOCATION_REASONS[reason];
}

/** Unspecified means secret. Binary messages can carry numbers that the enum does not have: they are refused. */
export function visibilityFromMessage(field: string, value: KeyVisibility): Visibility {
  return value === KeyVisibility.UNSPECIFIED ? "secret" : lookUp(VISIBILITIES, field, value);
}

/** Unspecified means JWT. */
export function algorithmFromMessage(field: string, value: TokenAlgorithm): DeriveTokenInput["algorithm"] {
  return value === TokenAlgorithm.UNSPECIFIED ? "jwt" : lookUp(TOKEN_ALGORITHMS, field, value);
}

export function revocationReasonFromMessage(field: string, value: RevocationReasonMessage): RevocationReason {
  return lookUp(REVOCATION_REASONS, field, value);
}

function lookUp<K extends string>(table: Readonly<Record<K, number>>, field: string, value: number): K {
  for (const name in table) if (table[name] === value) return name;
  throw invalidArgument(field, `${value} is not a value of this enum`);
}
