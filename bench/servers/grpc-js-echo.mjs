/**
 * A unary method on @grpc/grpc-js that takes and answers bytes: no protobuf at all.
 * Started with the answer's frame in base64; says its URL.
 */
import { Server, ServerCredentials } from "@grpc/grpc-js";

const FRAME_HEAD_BYTES = 5;
const answer = Buffer.from(process.argv[2], "base64").subarray(FRAME_HEAD_BYTES);
const asItIs = (bytes) => bytes;

const server = new Server();
server.addService(
  {
    AdminVerifyApiKey: {
      path: "/latchkey.v2alpha1.ApiKeysService/AdminVerifyApiKey",
      requestStream: false,
      responseStream: false,
      requestSerialize: asItIs,
      requestDeserialize: asItIs,
      responseSerialize: asItIs,
      responseDeserialize: asItIs,
    },
  },
  { AdminVerifyApiKey: (_call, callback) => callback(null, answer) },
);
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.stdout.write(`ready at http://127.0.0.1:${port}\n`);
});
process.once("SIGTERM", () => process.exit());
