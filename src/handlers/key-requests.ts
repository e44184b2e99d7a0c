/** Requests -> values of the domain. What is wrong in itself is refused here; limits are the domain's. */
import type { IpRestriction, RateLimitPolicy } from "../../gen/latchkey/v2alpha1/resources_pb.js";
import { parseKeyId as parseAnyKeyId } from "../credentials/key-id.js";
import type { KeyAttributes, RateLimitPolicyInput } from "../domain/key-attributes.js";
import { invalidArgument } from "../errors.js";
import type { JsonObject } from "../store/key-store.js";
import { durationToMs } from "./duration-ms.js";

/** A key id of either kind, in its one spelling. Throws INVALID_ARGUMENT for what cannot be one. */
export function parseKeyId(field: string, text: string): string {
  if (text === "") throw invalidArgument(field, "is required");
  const keyId = parseAnyKeyId(text);
  if (keyId === undefined)
    throw invalidArgument(field, "must be a UUID, or 64 hexadecimal characters of an imported key");
  return keyId;
}

/** The messages that carry a key's attributes: requests to issue and rotate, and the resources themselves. */
interface AttributesMessage {
  readonly name: string;
  readonly scopes: readonly string[];
  readonly metadata?: JsonObject | undefined;
  readonly rateLimitPolicy?: RateLimitPolicy | undefined;
  readonly ipRestriction?: IpRestriction | undefined;
}

/** The attribute that each field stands for; one without a value is there as `undefined`. */
const ATTRIBUTES = {
  name: ({ name }) => ({ name }),
  scopes: ({ scopes }) => ({ scopes }),
  metadata: ({ metadata }) => ({ metadata }),
  rate_limit_policy: ({ rateLimitPolicy }, path) => ({
    rateLimitPolicy: rateLimitPolicy && policyFromMessage(rateLimitPolicy, `${path}rate_limit_policy`),
  }),
  ip_restriction: ({ ipRestriction }) => ({
    allowedCidrs: ipRestriction?.allowedCidrs.length ? ipRestriction.allowedCidrs : undefined,
  }),
} satisfies Record<string, (message: AttributesMessage, path: string) => Partial<KeyAttributes>>;

/** All attributes of a request to issue or import. */
export function attributesFromMessage(message: AttributesMessage): KeyAttributes {
  return {
    ...ATTRIBUTES.name(message),
    ...ATTRIBUTES.scopes(message),
    ...ATTRIBUTES.metadata(message),
    ...ATTRIBUTES.rate_limit_policy(message, ""),
    ...ATTRIBUTES.ip_restriction(message),
  };
}

/**
 * The attributes that `fields` names; the others are not looked at. `path` is where the message stands in the request:
 * empty, or ending in a dot.
 */
export function maskedAttributes(
  message: AttributesMessage,
  fields: ReadonlySet<string>,
  path = "",
): Partial<KeyAttributes> {
  const named = Object.entries(ATTRIBUTES).filter(([field]) => fields.has(field));
  return Object.assign({}, ...named.map(([, read]) => read(message, path)));
}

function policyFromMessage(policy: RateLimitPolicy, path: string): RateLimitPolicyInput {
  if (policy.window === undefined) throw invalidArgument(`${path}.window`, "is required");
  return { quota: policy.quota, windowMs: durationToMs(`${path}.window`, policy.window), unit: policy.unit };
}
