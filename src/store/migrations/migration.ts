/** One numbered step of the database's schema. */
export interface Migration {
  /** Counted from 1, without gaps. */
  readonly version: number;
  readonly sql: string;
}
