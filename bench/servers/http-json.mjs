/**
 * The least that a JSON server on node:http does: parses the body, answers a prepared one.
 * Started with the answer's body in base64; says its URL.
 */
import { createServer } from "node:http";

const answer = Buffer.from(process.argv[2], "base64");

const server = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const { credential } = JSON.parse((parts.length === 1 ? parts[0] : Buffer.concat(parts)).toString());
    response.writeHead(typeof credential === "string" ? 200 : 400, {
      "content-type": "application/json",
      "content-length": answer.length,
    });
    response.end(answer);
  });
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`ready at http://127.0.0.1:${server.address().port}\n`));
process.once("SIGTERM", () => process.exit());
