import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface TestCertificates {
  readonly caFile: string;
  readonly serverCertFile: string;
  readonly serverKeyFile: string;
  readonly clientCert: Buffer;
  readonly clientKey: Buffer;
  readonly ca: Buffer;
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** Whether there is an `openssl` to make certificates with. */
export function hasOpenssl(): boolean {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** An authority, and a server (127.0.0.1) and a client that it vouches for, in `directory`. */
export function createTestCertificates(directory: string): TestCertificates {
  const file = (name: string) => join(directory, name);
  const openssl = (...words: string[]) => execFileSync("openssl", words, { stdio: "ignore", cwd: directory });
  openssl("req", "-x509", ...KEY, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Latchkey test CA", "-days", "2");
  for (const name of ["server", "client"]) {
    writeFileSync(file(`${name}.ext`), "subjectAltName=IP:127.0.0.1\n");
    openssl("req", "-new", ...KEY, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
    const signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", `${name}.ext`];
    openssl("x509", "-req", "-in", `${name}.csr`, "-out", `${name}.pem`, "-days", "2", ...signing);
  }
  return {
    caFile: file("ca.pem"),
    serverCertFile: file("server.pem"),
    serverKeyFile: file("server.key"),
    clientCert: readFileSync(file("client.pem")),
    clientKey: readFileSync(file("client.key")),
    ca: readFileSync(file("ca.pem")),
  };
}
