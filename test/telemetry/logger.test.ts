import { expect, test } from "@jest/globals";
import { createAccessLog } from "../../src/telemetry/access-log.js";
import { createLogger } from "../../src/telemetry/logger.js";

function logged(level: string, log: (logger: ReturnType<typeof createLogger>) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  log(createLogger({ level, destination: { write: (line) => lines.push(line) } }));
  return lines.map((line) => JSON.parse(line));
}

test("a line has a time, a level by name and its fields, and nothing about the machine", () => {
  const [line] = logged("info", (logger) => logger.info({ requestId: "r1" }, "call"));
  expect(line).toEqual({
    level: "info",
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    requestId: "r1",
    msg: "call",
  });
});

test("lines below the level are dropped", () => {
  expect(logged("warn", (logger) => logger.info("no"))).toEqual([]);
  expect(logged("silent", (logger) => logger.fatal("no"))).toEqual([]);
});

test.each([
  "authorization",
  "cookie",
  "credential",
  "credentials",
  "password",
  "pepper",
  "raw_key",
  "rawKey",
  "secret",
  "token",
  "uri",
])("%s is redacted on the line and in what is logged whole", (name) => {
  const [line] = logged("info", (logger) => {
    const err = Object.assign(new Error("refused"), { [name]: "hunter2" });
    const held = { [name]: "hunter2" };
    logger.info({ ...held, headers: held, req: { headers: held }, request: held, response: held, body: held, err });
    logger.child(held).info("child");
  });
  expect(JSON.stringify(line)).not.toContain("hunter2");
  expect(line).toMatchObject({
    [name]: "[redacted]",
    headers: { [name]: "[redacted]" },
    err: { [name]: "[redacted]" },
  });
});

test("a worker's lines say which it is, those about calls too", () => {
  const lines: string[] = [];
  const logger = createLogger({ level: "info", worker: 7, destination: { write: (line) => lines.push(line) } });
  logger.info("ready");
  createAccessLog(logger)({
    request_id: "r1",
    protocol: "rest",
    method: "GetJwks",
    code: "OK",
    reason: undefined,
    caller: undefined,
    peer: undefined,
    duration_ms: 1,
  });
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { worker: 7, msg: "ready" },
    { worker: 7, msg: "call", request_id: "r1", level: "info" },
  ]);
});
