/** Workers that did not do what they should; the message says it, and they have said why themselves. */
export class WorkerFailure extends Error {
  override readonly name = "WorkerFailure";
}
