/** A step of a store's schema, or a format of its directory. */
export interface MigrationStatus {
  /** From 1, without gaps. */
  readonly version: number;
  readonly name: string;
  readonly isApplied: boolean;
}
