/**
 * How asynchronous invocations are tried again and where their records go, as control and data plane
 * share it through the store.
 *
 * Documents (partition is always the function's name):
 *   collection 'event-invoke'  id QUALIFIER  EventInvokeRecord; '$LATEST', a version's number or an alias's name
 */

export const eventInvokeCollections = { eventInvoke: 'event-invoke' } as const;

/** What is absent was not set: the service's defaults are for the data plane. */
export interface EventInvokeRecord {
  /** 0 to 2. */
  readonly maximumRetryAttempts?: number;
  /** 60 to 21,600. */
  readonly maximumEventAgeInSeconds?: number;
  /** ARN that parseDestinationArn knows (destination-arn.ts). */
  readonly onSuccess?: string;
  /** ARN that parseDestinationArn knows (destination-arn.ts). */
  readonly onFailure?: string;
  /** ISO 8601. */
  readonly lastModified: string;
}
