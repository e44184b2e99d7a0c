import { ServiceError } from "../errors.js";

/**
 * Reads each item by itself, and runs all those that can be read in one go. In the order of the items; where an item was
 * refused, its error. `run` answers as many outputs as it gets inputs. Throws what is no ServiceError, and what `run` throws.
 */
export async function runBatch<Item, Input, Output>(
  items: readonly Item[],
  read: (item: Item) => Input,
  run: (inputs: readonly Input[]) => Promise<readonly Output[]>,
): Promise<(Output | ServiceError)[]> {
  const inputs = items.map((item) => attempt(() => read(item)));
  const outputs = (await run(inputs.filter(isTaken))).values();
  return inputs.map((input) => (isTaken(input) ? next(outputs) : input));
}

function attempt<T>(read: () => T): T | ServiceError {
  try {
    return read();
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
}

function isTaken<T>(input: T | ServiceError): input is T {
  return !(input instanceof ServiceError);
}

function next<T>(outputs: Iterator<T>): T {
  const { value, done } = outputs.next();
  if (done) throw new Error("a batch has fewer outputs than inputs");
  return value;
}
