/** A request to issue or import a key that says all that can be said of one. */
export function fullKey(actorId: string) {
  return {
    name: "old",
    actor_id: actorId,
    scopes: ["a"],
    metadata: { team: "blue" },
    rate_limit_policy: { quota: "10", window: "60s", unit: "requests" },
    ip_restriction: { allowed_cidrs: ["127.0.0.0/8", "::1/128"] },
    ttl: "3600s",
  };
}
