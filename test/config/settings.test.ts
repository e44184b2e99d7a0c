import { describe, expect, test } from "@jest/globals";
import { describeSettings } from "../../src/config/describe-settings.js";
import { settingKind } from "../../src/config/setting-shape.js";
import { settingPaths, settings } from "../../src/config/settings.js";

describe("the schema", () => {
  test("describes every setting in one line that fits a table", () => {
    for (const { description } of describeSettings()) expect(description).toMatch(/^[^|\n]{10,}\.$/);
  });

  test("gives every setting variables of its own", () => {
    const names = describeSettings().flatMap(({ env }) => [env, `${env}_FILE`]);
    expect(new Set(names).size).toBe(names.length);
  });

  test("has no setting that is also a group", () => {
    for (const path of settingPaths) expect(settingPaths.filter((other) => other.startsWith(`${path}.`))).toEqual([]);
  });

  test("tells how a setting is written", () => {
    expect(settingKind(settings["server.host"])).toBe("text");
    expect(settingKind(settings["server.port"])).toBe("number");
    expect(settingKind(settings["server.drain_timeout"])).toBe("text");
    expect(settingKind(settings["admin.allow_unauthenticated"])).toBe("boolean");
    expect(settingKind(settings["keys.retired_prefixes"])).toBe("list");
    expect(settingKind(settings["secrets.hmac.retired"])).toBe("list");
    expect(settingKind(settings["admin.tokens"])).toBe("objects");
  });

  test("is described with path, variable and default", () => {
    expect(describeSettings()).toContainEqual({
      path: "server.tls.cert_file",
      env: "LATCHKEY_SERVER_TLS_CERT_FILE",
      description: "PEM file with the certificate chain. Turns TLS on.",
    });
    expect(describeSettings()).toContainEqual({
      path: "store.mongodb.timeout",
      env: "LATCHKEY_STORE_MONGODB_TIMEOUT",
      default: "2s",
      description: "How long an operation on MongoDB may take, connecting included.",
    });
  });
});
