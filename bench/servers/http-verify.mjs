/**
 * The least that a server of JWTs on node:http does: parses the body, checks the Ed25519 signature of the token in it, answers
 * a prepared body. Started with the answer's body in base64 and the public JWK; says its URL.
 */
import { createPublicKey, verify } from "node:crypto";
import { createServer } from "node:http";

const answer = Buffer.from(process.argv[2], "base64");
const publicKey = createPublicKey({ format: "jwk", key: JSON.parse(process.argv[3]) });

const server = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const { credential } = JSON.parse((parts.length === 1 ? parts[0] : Buffer.concat(parts)).toString());
    response.writeHead(isSigned(credential) ? 200 : 400, {
      "content-type": "application/json",
      "content-length": answer.length,
    });
    response.end(answer);
  });
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`ready at http://127.0.0.1:${server.address().port}\n`));
process.once("SIGTERM", () => process.exit());

function isSigned(token) {
  const end = token.lastIndexOf(".");
  return verify(null, Buffer.from(token.slice(0, end)), publicKey, Buffer.from(token.slice(end + 1), "base64url"));
}
