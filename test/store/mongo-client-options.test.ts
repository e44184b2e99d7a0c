/** What the driver makes of a URI and the options that go with it. Nothing connects here. */

import { describe, expect, test } from "@jest/globals";
import { MongoClient } from "mongodb";
import { clientOptions, collectionOptions, writeTimeMs } from "../../src/store/mongo/client-options.js";

const TIMEOUT_MS = 1000;
/** Sooner than the call ends, so that the reason is told. */
const CONNECTING_MS = 900;
/** So that there is time for another try. */
const ANSWERING_MS = 500;

function clientOf(uri: string): MongoClient {
  return new MongoClient(uri, clientOptions(uri, TIMEOUT_MS));
}

describe("client options", () => {
  test("limit every way to wait, and leave retries of writes to the store", () => {
    expect(clientOf("mongodb://a").options).toMatchObject({
      serverSelectionTimeoutMS: CONNECTING_MS,
      connectTimeoutMS: CONNECTING_MS,
      waitQueueTimeoutMS: CONNECTING_MS,
      socketTimeoutMS: ANSWERING_MS,
      retryReads: true,
      retryWrites: false,
      appName: "latchkey",
      maxPoolSize: 50,
      maxIdleTimeMS: 180_000,
      compressors: ["none"],
    });
  });

  test("a URI may set what depends on the deployment", () => {
    const uri = "mongodb://a/?MAXPOOLSIZE=7&minPoolSize=3&appname=mine&compressors=zlib&maxIdleTimeMS=0";
    expect(clientOf(uri).options).toMatchObject({
      appName: "mine",
      maxPoolSize: 7,
      minPoolSize: 3,
      maxIdleTimeMS: 0,
      compressors: ["zlib"],
    });
  });

  test("a URI does not make a call wait longer, nor an acknowledged write less than durable, nor a read old", () => {
    const keys = clientOf(
      "mongodb://a/?socketTimeoutMS=0&serverSelectionTimeoutMS=99&connectTimeoutMS=0&waitQueueTimeoutMS=0" +
        "&retryWrites=true&w=1&journal=false&readConcernLevel=local&readPreference=secondary",
    );
    expect(keys.options).toMatchObject({
      serverSelectionTimeoutMS: CONNECTING_MS,
      connectTimeoutMS: CONNECTING_MS,
      waitQueueTimeoutMS: CONNECTING_MS,
      socketTimeoutMS: ANSWERING_MS,
      retryWrites: false,
    });
    const collection = keys.db("latchkey").collection("keys", collectionOptions);
    expect(collection.writeConcern).toMatchObject({ w: "majority", journal: true });
    expect(collection.readConcern?.level).toBe("majority");
    expect(collection.readPreference?.mode).toBe("primary");
  });

  test("TLS and SCRAM are the URI's", () => {
    const { options } = clientOf("mongodb://user:pass%20word@a/keys?tls=true&tlsCAFile=ca.pem&authSource=admin");
    expect(options).toMatchObject({ tls: true, tlsCAFile: "ca.pem" });
    expect(options).not.toHaveProperty("rejectUnauthorized", false);
    expect(options.credentials).toMatchObject({
      username: "user",
      password: "pass word",
      source: "admin",
      mechanism: "DEFAULT",
    });
  });

  test("X.509 is the URI's", () => {
    const { options } = clientOf("mongodb://a/?tls=true&tlsCertificateKeyFile=client.pem&authMechanism=MONGODB-X509");
    expect(options).toMatchObject({ tls: true, tlsCertificateKeyFile: "client.pem" });
    expect(options.credentials).toMatchObject({ source: "$external", mechanism: "MONGODB-X509" });
  });
});

test.each([
  [10_000, 2000],
  [1999.2, 2000],
  [300, 300],
  [0.1, 1],
  [-5, 1],
])("with %d ms left, the server has %d ms for a write", (leftMs, expected) => {
  expect(writeTimeMs(leftMs)).toBe(expected);
});
