import { connectMongo } from "../src/store/mongo/connect.js";

const TIMEOUT_MS = 10_000;
const MS_PER_SECOND = 1_000;

export interface Changes {
  /** Answers how many there were a second: fewer than asked for, when the server cannot make as many. */
  stop(): Promise<number>;
}

export interface ChangesOptions {
  readonly uri: string;
  /** The oldest so many are changed, in turn. */
  readonly keys: number;
  readonly perSecond: number;
}

/** Changes keys as another process of the service would, so that whoever remembers them reads them again. */
export async function startChanges({ uri, keys: count, perSecond }: ChangesOptions): Promise<Changes> {
  const { client, keys } = await connectMongo({ uri, timeoutMs: TIMEOUT_MS }, async (connection) => connection);
  const oldest = await keys.find({}, { projection: { _id: 1 }, sort: { _id: 1 }, limit: count }).toArray();
  const underWay = new Set<Promise<unknown>>();
  const startedAt = performance.now();
  let started = 0;
  let changed = 0;
  let failure: unknown;

  const changeNext = () => {
    const _id = oldest[started % oldest.length]?._id ?? "";
    started += 1;
    const change = { $inc: { version: 1 }, $currentDate: { changed_at: true }, $set: { name: `changed-${started}` } };
    const update = keys.updateOne({ _id }, change as object).then(
      () => {
        changed += 1;
      },
      (error: unknown) => {
        failure = error;
      },
    );
    underWay.add(update);
    void update.then(() => underWay.delete(update));
  };
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) / MS_PER_SECOND) * perSecond;
    while (started < due) changeNext();
  }, MS_PER_SECOND / perSecond);
  return {
    async stop() {
      clearInterval(timer);
      const seconds = (performance.now() - startedAt) / MS_PER_SECOND;
      const inTime = changed;
      await Promise.all(underWay);
      await client.close();
      if (failure !== undefined) throw failure;
      return inTime / seconds;
    },
  };
}
