import { expect, test } from "@jest/globals";
import { checkFilter } from "../../src/query/filter-checker.js";
import { planFilter } from "../../src/query/plan-filter.js";
import { SAMPLE_FIELDS } from "./sample-fields.js";

function plan(filter: string) {
  const { equals, ranges, residual, isEmpty } = planFilter(checkFilter(filter, SAMPLE_FIELDS));
  return { equals: Object.fromEntries(equals), ranges: Object.fromEntries(ranges), residual, isEmpty };
}

function check(filter: string) {
  return checkFilter(filter, SAMPLE_FIELDS);
}

test.each([
  ["", {}],
  ["actor_id = me", { actor_id: "me" }],
  ["actor_id:me", { actor_id: "me" }],
  ["status = ACTIVE AND actor_id = me", { status: "ACTIVE", actor_id: "me" }],
  ["actor_id = me (status = ACTIVE actor_id = me)", { status: "ACTIVE", actor_id: "me" }],
])("an index serves all of %j", (filter, equals) => {
  expect(plan(filter)).toEqual({ equals, ranges: {}, residual: check(""), isEmpty: false });
});

test.each([
  ['create_time < "1970-01-01T00:00:01Z"', { toMs: 999 }],
  ['create_time <= "1970-01-01T00:00:01Z"', { toMs: 1000 }],
  ['create_time > "1970-01-01T00:00:01Z"', { fromMs: 1001 }],
  ['create_time >= "1970-01-01T00:00:01Z"', { fromMs: 1000 }],
  ['create_time = "1970-01-01T00:00:01Z"', { fromMs: 1000, toMs: 1000 }],
  ['create_time < "1970-01-01T00:00:01.0001Z"', { toMs: 1000 }],
  ['create_time <= "1970-01-01T00:00:01.0001Z"', { toMs: 1000 }],
  ['create_time > "1970-01-01T00:00:01.0001Z"', { fromMs: 1001 }],
  ['create_time >= "1970-01-01T00:00:01.0001Z"', { fromMs: 1001 }],
  [
    'create_time > "1970-01-01T00:00:01Z" create_time > "1970-01-01T00:00:02Z" create_time < "1970-01-01T00:00:03Z" create_time < "1970-01-01T00:00:04Z"',
    { fromMs: 2001, toMs: 2999 },
  ],
])("the order of the list serves all of %j", (filter, range) => {
  expect(plan(filter)).toEqual({ equals: {}, ranges: { create_time: range }, residual: check(""), isEmpty: false });
});

test.each([
  "name = a",
  "actor_id != me",
  'actor_id = "me*"',
  "actor_id > me",
  "actor_id:*",
  "NOT actor_id = me",
  "actor_id = me OR actor_id = you",
  'create_time != "1970-01-01T00:00:01Z"',
  'expire_time > "1970-01-01T00:00:01Z"',
  "create_time:*",
  "metadata.actor_id = me",
])("no index serves %j", (filter) => {
  expect(plan(filter)).toEqual({ equals: {}, ranges: {}, residual: check(filter), isEmpty: false });
});

test("what no index serves is left", () => {
  expect(plan("name = a actor_id = me (pinned = true OR status = ACTIVE) status = REVOKED")).toEqual({
    equals: { actor_id: "me", status: "REVOKED" },
    ranges: {},
    residual: check("name = a (pinned = true OR status = ACTIVE)"),
    isEmpty: false,
  });
  expect(plan("actor_id = me name = a").residual).toEqual(check("name = a"));
});

test.each([
  "status = ACTIVE status = REVOKED",
  "actor_id = me actor_id = you actor_id = you",
  'create_time > "1970-01-01T00:00:02Z" create_time < "1970-01-01T00:00:01Z"',
  'create_time > "1970-01-01T00:00:01Z" create_time < "1970-01-01T00:00:01.001Z"',
  'create_time = "1970-01-01T00:00:01.0001Z"',
  'create_time = "1970-01-01T00:00:01Z" create_time = "1970-01-01T00:00:02Z" create_time = "1970-01-01T00:00:01Z"',
])("nothing can match %j", (filter) => expect(plan(filter).isEmpty).toBe(true));
