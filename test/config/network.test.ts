import { expect, test } from "@jest/globals";
import { isNetwork } from "../../src/config/network.js";

test.each([
  "10.0.0.1",
  "10.0.0.0/8",
  "10.1.2.3/1",
  "10.0.0.1/32",
  "::1",
  "2001:db8::/32",
  "::ffff:0:0:1",
  "::1.2.3.4/128",
])("%s is a network", (text) => {
  expect(isNetwork(text)).toBe(true);
});

test.each([
  "",
  "10.0.0",
  "10.0.0.1/",
  "10.0.0.1/33",
  "10.0.0.1/08",
  "10.0.0.1/-1",
  "10.0.0.1 ",
  "010.0.0.1",
  "10.0.0.0/255.0.0.0",
  "0.0.0.0/0",
  "::/0",
  "::1/129",
  "fe80::1%eth0",
  "fe80::1%eth0/64",
  "[::1]",
  "::ffff:10.0.0.1",
  "::ffff:10.0.0.0/104",
  "::FFFF:a00:1",
  "0:0:0:0:0:ffff:10.0.0.1",
  "localhost",
])("%j is not", (text) => {
  expect(isNetwork(text)).toBe(false);
});
