import { describe } from "@jest/globals";
import { runCases } from "./run-cases.js";

describe("gRPC without its own lane", () => {
  runCases({ env: { LATCHKEY_SERVER_GRPC_UNARY_LANE: "false" }, clients: ["grpc-js", "connect-node gRPC"] });
});
