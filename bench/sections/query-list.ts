import { filledStore, ONE_ACTOR, type SpecialKeys, warmUp } from "../filled-store.js";
import { PAGE_SIZE, type PageLoad, pageContestant } from "../load/page-load.js";
import type { Options } from "../options.js";
import { measureRounds } from "../rounds.js";
import { Service } from "../service.js";
import { comparedRow, type Measured } from "../table.js";

/** What an embedded store is filled with. */
interface Keys extends SpecialKeys {
  readonly count: number;
}

interface Comparison {
  /** Of the row. */
  readonly name: string;
  readonly ours: PageLoad & { readonly keys: Keys };
  readonly reference: PageLoad & { readonly keys: Keys };
  readonly target: number;
}

/** Keys that a list by actor, or by status, finds: ten pages. */
const FOUND = 10 * PAGE_SIZE;
const MANY: Keys = { count: 300_000, ofOneActor: FOUND };
const FEW: Keys = { count: 10_000, ofOneActor: FOUND };
const BEHIND_EXPIRED: Keys = { count: FOUND + 300_000, expired: 300_000 };
const ALONE: Keys = { count: FOUND };

const BY_ACTOR = `actor_id="${ONE_ACTOR}"`;
const BY_STATUS = "status=KEY_STATUS_ACTIVE";

/** A page costs at most 1.2 times the first one; one of an actor's keys, at most 1.5 times that in a small store. */
const TARGET = { page: 1 / 1.2, actor: 1 / 1.5 };

const COMPARISONS: readonly Comparison[] = [
  {
    name: "list page 1,000 of 300,000 keys over REST to page 1, pages/s",
    ours: { name: "page 1,000", keys: MANY, page: 1_000 },
    reference: { name: "page 1", keys: MANY },
    target: TARGET.page,
  },
  {
    name: "list an actor's keys over REST at 300,000 keys to 10,000, pages/s",
    ours: { name: "of many", keys: MANY, filter: BY_ACTOR },
    reference: { name: "of few", keys: FEW, filter: BY_ACTOR },
    target: TARGET.actor,
  },
  {
    name: "list active keys over REST behind 300,000 expired to alone, pages/s",
    ours: { name: "behind expired", keys: BEHIND_EXPIRED, filter: BY_STATUS },
    reference: { name: "alone", keys: ALONE, filter: BY_STATUS },
    target: TARGET.page,
  },
];

/** Pages that an index of the embedded store has to find, each against one that is there at once. */
export async function benchQueryList(options: Options, say: (text: string) => void): Promise<Measured[]> {
  const rows: Measured[] = [];
  for (const comparison of COMPARISONS) rows.push(await compare(comparison, options, say));
  return rows;
}

async function compare(
  { name, ours, reference, target }: Comparison,
  options: Options,
  say: (text: string) => void,
): Promise<Measured> {
  const services = new Map<Keys, Service>();
  const contestant = async ({ keys, ...load }: Comparison["ours"]) => {
    const service = services.get(keys) ?? (await startService(keys, options, say));
    services.set(keys, service);
    return pageContestant(service, load);
  };
  try {
    const figures = await measureRounds([await contestant(ours), await contestant(reference)], options);
    return comparedRow(name, figures.get(ours.name), figures.get(reference.name), target);
  } finally {
    for (const service of services.values()) await service.stop();
  }
}

async function startService(
  { count, ...special }: Keys,
  { cpuProf }: Options,
  say: (text: string) => void,
): Promise<Service> {
  const { dataDir } = await filledStore(count, say, special);
  await warmUp(dataDir);
  return Service.start({ dataDir, cpuProf });
}
