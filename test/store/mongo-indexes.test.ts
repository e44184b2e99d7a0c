import { expect, test } from "@jest/globals";
import type { KeyStatus, ListQuery } from "../../src/store/key-store.js";
import { INDEXES, type IndexName } from "../../src/store/mongo/indexes.js";
import { LIST_ORDER, listFilter, listIndex } from "../../src/store/mongo/list-filter.js";

const LIST = { tenantId: "t", kind: "issued", limit: 10 } as const;
const STATUS: KeyStatus = "active";

/** Every shape of list that the API has: what it is of. Cursors and ranges of time are about the order. */
const SHAPES: readonly ListQuery[] = [
  LIST,
  { ...LIST, actorId: "a" },
  { ...LIST, status: STATUS },
  { ...LIST, actorId: "a", status: STATUS },
];

test("every list has an index that first has what it is of, and then its order", () => {
  for (const query of SHAPES) {
    const { key } = INDEXES[listIndex(query) as IndexName];
    const fields = Object.entries(key);
    const order = Object.entries(LIST_ORDER);
    const filtered = Object.keys(listFilter(query));
    expect(fields.slice(-order.length)).toEqual(order);
    expect(new Set(fields.slice(0, -order.length).map(([field]) => field))).toEqual(new Set(filtered));
    expect(fields).toHaveLength(filtered.length + order.length);
  }
});

test("every index by tenant is for one shape of list", () => {
  const ofLists = Object.entries(INDEXES).flatMap(([name, { key }]) => ("tenant_id" in key ? [name] : []));
  expect(ofLists.sort()).toEqual(SHAPES.map((query) => listIndex(query)).sort());
});
