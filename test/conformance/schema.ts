/** The suite's definitions, which are not in this repository: read from descriptors that are built when it runs. */
import { readFileSync } from "node:fs";
import { createFileRegistry, type DescMessage, type DescService, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

const PACKAGE = "connectrpc.conformance.v1";

export type Schema = ReturnType<typeof readSchema>;

/** Reads a file that holds a FileDescriptorSet. */
export function readSchema(file: string) {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(file)));
  const message = (name: string): DescMessage => known(registry.getMessage(`${PACKAGE}.${name}`), name);
  const service: DescService = known(registry.getService(`${PACKAGE}.ConformanceService`), "ConformanceService");
  return { registry, message, service };
}

function known<T>(desc: T | undefined, name: string): T {
  if (desc === undefined) throw new Error(`the suite has no ${name}`);
  return desc;
}
