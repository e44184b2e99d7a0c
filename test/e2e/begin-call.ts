import { RawConnection } from "./raw-connection.js";

/** The body that the call waits for. The answer to it has status 200. */
export const BODY = '{"credential":"x"}';
const VERIFY = "/v2alpha1/admin/apiKeys:verify";
const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

/** A call that the service has begun, and that waits for BODY. `host`: with port. */
export async function beginCall(host: string, token: string): Promise<RawConnection> {
  const connection = await RawConnection.open(host);
  const head = `POST ${VERIFY} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json`;
  await connection.write(`${head}\r\nexpect: 100-continue\r\ncontent-length: ${BODY.length}\r\n\r\n`);
  await connection.receive((bytes) => bytes.includes(CONTINUE));
  connection.received = Buffer.alloc(0);
  return connection;
}
