/** CreateEventSourceMapping: Creating until it is settled, then Enabled or Disabled; a queue's Disabled at once. */
import {
  eventSourceMappingArn,
  type EventSourceKind,
  type EventSourceMappingRecord,
} from '../../model/event-source-mapping.ts';
import type {
  CreateEventSourceMappingRequest,
  EventSourceMappingConfiguration,
} from '../../model/generated/api-types.ts';
import { withTags } from '../../model/tags.ts';
import { commitWithRetry, writeDocument } from '../commit.ts';
import type { ControlContext } from '../control-context.ts';
import type { Reference } from '../functions/function-documents.ts';
import { mappingKey, requireTarget } from './mapping-documents.ts';
import {
  checkDestinationGiven,
  checkRequired,
  checkSettings,
  checkSupported,
  sourceKindOf,
} from './mapping-rules.ts';
import { settingsIn, withChanges } from './mapping-settings.ts';
import { stateAfterChange } from './mapping-state.ts';
import { checkPollersGiven } from './poller-rules.ts';
import { renderMapping, storedMapping } from './render-mapping.ts';
import { sourceRules, type MappingSettings } from './source-rules.ts';

/**
 * Throws InvalidParameterValue for what the kind of source does not allow or a function that is not
 * there, ResourceConflict for a function that has this source already.
 */
export async function createEventSourceMapping(
  context: ControlContext,
  input: CreateEventSourceMappingRequest,
): Promise<EventSourceMappingConfiguration> {
  const kind = sourceKindOf(input, context.settings);
  const settings = newSettings(context, kind, input);
  const tags = withTags({}, input.Tags ?? {});
  return context.mappingTurns.run(() =>
    commitWithRetry(context.store, async () => {
      const target = await requireTarget(context, input.FunctionName);
      const record = newRecord(context, { kind, target, settings, tags, input });
      context.mappingClaims.check(record);
      const key = mappingKey(record.configuration.UUID);
      const result = renderMapping(record.configuration);
      return { operations: [writeDocument(key, undefined, record)], result };
    }),
  );
}

function newSettings(
  { clock }: ControlContext,
  kind: EventSourceKind,
  input: CreateEventSourceMappingRequest,
): MappingSettings {
  const rules = sourceRules[kind];
  const requested = settingsIn(input);
  checkSupported(rules, requested);
  checkDestinationGiven(requested);
  checkPollersGiven(requested);
  checkRequired(rules, requested);
  const settings = withChanges(rules, rules.defaults, requested);
  checkSettings(rules, settings, clock.nowMs());
  return settings;
}

function newRecord(
  { clock, random, settings: identity }: ControlContext,
  parts: {
    readonly kind: EventSourceKind;
    readonly target: Reference;
    readonly settings: MappingSettings;
    readonly tags: EventSourceMappingRecord['tags'];
    readonly input: CreateEventSourceMappingRequest;
  },
): EventSourceMappingRecord {
  const { kind, target, settings, tags, input } = parts;
  const rules = sourceRules[kind];
  const { kafkaConfig } = rules;
  const uuid = random.uuid();
  const enabled = input.Enabled ?? true;
  const group = kafkaConfig && {
    [kafkaConfig]: { ConsumerGroupId: uuid, ...settings[kafkaConfig] },
  };
  return {
    kind,
    functionName: target.functionName,
    ...(target.qualifier === undefined ? {} : { qualifier: target.qualifier }),
    enabled,
    configuration: storedMapping(clock, rules, {
      settings: { ...settings, ...group },
      UUID: uuid,
      EventSourceMappingArn: eventSourceMappingArn(identity, uuid),
      FunctionArn: target.arn,
      State: stateAfterChange(rules, undefined, enabled),
    }),
    tags,
    generation: random.uuid(),
  };
}
