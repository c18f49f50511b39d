/**
 * Event source mappings, as the control plane and the pollers share them through the store.
 *
 * Documents:
 *   collection 'event-source-mapping'  partition UUID  id ''  EventSourceMappingRecord
 */
import type { Identity } from './arn.ts';
import type { EventSourceMappingConfiguration } from './generated/api-types.ts';
import type { Tags } from './tags.ts';

export const eventSourceMappingCollections = {
  mapping: 'event-source-mapping',
} as const;

/** What is polled, and so which rules a mapping follows. ActiveMQ and RabbitMQ have the same ARNs. */
export type EventSourceKind =
  'sqs' | 'sqs-fifo' | 'kinesis' | 'dynamodb' | 'msk' | 'self-managed-kafka' | 'mq' | 'documentdb';

/** Those that do not last are settled by the control plane. */
export type MappingState =
  'Creating' | 'Enabling' | 'Enabled' | 'Disabling' | 'Disabled' | 'Updating' | 'Deleting';

/** As the API shows it, with its dates as ISO 8601 texts. */
export type StoredMapping = Omit<
  EventSourceMappingConfiguration,
  'LastModified' | 'StartingPositionTimestamp'
> & {
  readonly UUID: string;
  readonly FunctionArn: string;
  readonly BatchSize: number;
  readonly State: MappingState;
  readonly LastModified: string;
  readonly StartingPositionTimestamp?: string | undefined;
};

export interface EventSourceMappingRecord {
  readonly kind: EventSourceKind;
  readonly functionName: string;
  /** Version, alias or '$LATEST'; absent when the mapping names none. */
  readonly qualifier?: string | undefined;
  /** Whether the source is to be polled: what the state settles to. A mapping that is Deleting goes. */
  readonly enabled: boolean;
  readonly configuration: StoredMapping;
  readonly tags: Tags;
  /** New with every change of settings or function; the same while only state or tags change. */
  readonly generation: string;
}

/** Neither Enabled nor Disabled: something is under way, and the mapping cannot be changed. */
export function isMappingUnsettled({ State }: StoredMapping): boolean {
  return State !== 'Enabled' && State !== 'Disabled';
}

/** `arn:aws:lambda:REGION:ACCOUNT:event-source-mapping:UUID`. */
export function eventSourceMappingArn(identity: Identity, uuid: string): string {
  const { partition = 'aws', region, accountId } = identity;
  return `arn:${partition}:lambda:${region}:${accountId}:event-source-mapping:${uuid}`;
}
