/**
 * Aliases and provisioned concurrency, as control and data plane share them through the store.
 *
 * Documents (partition is always the function's name):
 *   collection 'alias'                  id ALIAS       AliasRecord
 *   collection 'provisioned'            id QUALIFIER   ProvisionedRecord: what is wanted
 *   collection 'provisioned-status'     id QUALIFIER   ProvisionedStatusRecord: what there is, written by the data plane
 */
import type { AliasConfiguration } from './generated/api-types.ts';

export const aliasCollections = {
  alias: 'alias',
  provisioned: 'provisioned',
  provisionedStatus: 'provisioned-status',
} as const;

/** As the API shows it; `RoutingConfig`, if there, has the weight of one published version. */
export type StoredAlias = AliasConfiguration & {
  readonly Name: string;
  /** '$LATEST' or a number. */
  readonly FunctionVersion: string;
  readonly RevisionId: string;
};

export interface AliasRecord {
  readonly configuration: StoredAlias;
}

/** Wanted for a version or an alias; QUALIFIER is a version's number or an alias's name. */
export interface ProvisionedRecord {
  readonly qualifier: string;
  /** At least 1. */
  readonly requested: number;
  /** ISO 8601. */
  readonly lastModified: string;
  /** New with every change of what is wanted: a status belongs to one generation. */
  readonly generation: string;
}

export interface ProvisionedStatusRecord {
  /** Of the ProvisionedRecord that it tells about. */
  readonly generation: string;
  readonly status: 'IN_PROGRESS' | 'READY' | 'FAILED';
  /** With FAILED. */
  readonly statusReason?: string;
  /** Initialised and kept. */
  readonly allocated: number;
  /** Initialised and able to take an invocation. */
  readonly available: number;
}
