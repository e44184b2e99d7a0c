import type { Document } from "mongodb";

/** What answers at the URI. A standalone has no other server that could take over, or has what it lost. */
export type Deployment = "replica set" | "sharded cluster" | "standalone";

/** By the answer to `hello`. Compatible servers pass for standalones, as they are one to the driver. */
export function deploymentFromHello({ msg, setName }: Document): Deployment {
  if (msg === "isdbgrid") return "sharded cluster";
  return setName === undefined ? "standalone" : "replica set";
}
