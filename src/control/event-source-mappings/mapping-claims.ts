/**
 * What only one mapping may have: a function with one source (and topic, queue or collection of it), and
 * a consumer group of one cluster. In memory, fed by the change feed; changes that claim something run
 * one after the other (ControlContext.mappingTurns).
 */
import {
  eventSourceMappingCollections,
  isMappingUnsettled,
  type EventSourceMappingRecord,
} from '../../model/event-source-mapping.ts';
import { resourceConflict } from '../../model/errors.ts';
import type { Change } from '../../store/store.ts';
import type { Follower } from '../follow-together.ts';
import { renderMapping } from './render-mapping.ts';
import { sourceRules } from './source-rules.ts';

export class MappingClaims implements Follower {
  readonly collections = [eventSourceMappingCollections.mapping];
  /** Claim to the UUID of the mapping that has it. */
  readonly #holders = new Map<string, string>();
  readonly #claims = new Map<string, readonly string[]>();
  readonly #onUnsettled: (uuid: string) => void;

  /** `onUnsettled` is told of every mapping in a state that does not last. */
  constructor(onUnsettled: (uuid: string) => void) {
    this.#onUnsettled = onUnsettled;
  }

  /** Throws ResourceConflict if another mapping has what this one claims. */
  check(record: EventSourceMappingRecord): void {
    const holder = this.#holderOf(sourceClaims(record), record);
    if (holder !== undefined) throw mappingExists(record, holder);
    const member = this.#holderOf(groupClaims(record), record);
    if (member !== undefined) {
      throw resourceConflict(
        `The consumer group is used by the event source mapping with UUID ${member} already.`,
      );
    }
  }

  #holderOf(
    claims: readonly string[],
    { configuration: { UUID: own } }: EventSourceMappingRecord,
  ): string | undefined {
    return claims
      .map((claim) => this.#holders.get(claim))
      .find((holder) => holder !== undefined && holder !== own);
  }

  apply(change: Change): void {
    const uuid = change.type === 'put' ? change.document.partition : change.key.partition;
    for (const claim of this.#claims.get(uuid) ?? []) this.#holders.delete(claim);
    this.#claims.delete(uuid);
    if (change.type === 'delete') return;
    const record = change.document.value as EventSourceMappingRecord;
    const claims = [...sourceClaims(record), ...groupClaims(record)];
    for (const claim of claims) this.#holders.set(claim, uuid);
    this.#claims.set(uuid, claims);
    if (isMappingUnsettled(record.configuration)) this.#onUnsettled(uuid);
  }
}

/** The source's ARN, or the servers of a cluster without one. */
export function sourcesOf(
  settings: Pick<
    EventSourceMappingRecord['configuration'],
    'EventSourceArn' | 'SelfManagedEventSource'
  >,
): readonly string[] {
  const { EventSourceArn: arn, SelfManagedEventSource: selfManaged } = settings;
  if (arn !== undefined) return [arn];
  return selfManaged?.Endpoints?.KAFKA_BOOTSTRAP_SERVERS ?? [];
}

function identityOf({ kind, configuration }: EventSourceMappingRecord): string {
  return sourceRules[kind].identity(renderMapping(configuration));
}

function sourceClaims(record: EventSourceMappingRecord): string[] {
  const { FunctionArn } = record.configuration;
  const identity = identityOf(record);
  return sourcesOf(record.configuration).map((source) =>
    JSON.stringify(['source', FunctionArn, source, identity]),
  );
}

function groupClaims({ kind, configuration }: EventSourceMappingRecord): string[] {
  const { kafkaConfig } = sourceRules[kind];
  const group = kafkaConfig && configuration[kafkaConfig]?.ConsumerGroupId;
  if (group === undefined) return [];
  return sourcesOf(configuration).map((source) => JSON.stringify(['group', source, group]));
}

function mappingExists(record: EventSourceMappingRecord, holder: string) {
  const { configuration, functionName, qualifier } = record;
  const existing = sourceRules[record.kind].existing({
    sources: sourcesOf(configuration),
    functionName: qualifier === undefined ? functionName : `${functionName}:${qualifier}`,
    functionArn: configuration.FunctionArn,
    identity: identityOf(record),
  });
  return resourceConflict(
    `${existing} Please update or delete the existing mapping with UUID ${holder}`,
  );
}
