/** UpdateEventSourceMapping: another function, other settings, on or off; what is left out stays. */
import { mappingInUse } from '../../model/trigger-errors.ts';
import {
  isMappingUnsettled,
  type EventSourceMappingRecord,
} from '../../model/event-source-mapping.ts';
import type {
  EventSourceMappingConfiguration,
  UpdateEventSourceMappingRequest,
} from '../../model/generated/api-types.ts';
import { commitWithRetry, putDocument } from '../commit.ts';
import type { ControlContext } from '../control-context.ts';
import { defined } from '../omit-members.ts';
import { requireMapping, requireTarget } from './mapping-documents.ts';
import {
  checkDestinationGiven,
  checkRequired,
  checkSettings,
  checkSupported,
  checkUnchangeable,
} from './mapping-rules.ts';
import { settingsIn, withChanges } from './mapping-settings.ts';
import { stateAfterChange } from './mapping-state.ts';
import { renderMapping, settingsOf, storedMapping } from './render-mapping.ts';
import { sourceRules, type MappingSettings } from './source-rules.ts';

/**
 * Throws ResourceNotFound, ResourceInUse while something is under way, and what createEventSourceMapping
 * throws.
 */
export async function updateEventSourceMapping(
  context: ControlContext,
  input: UpdateEventSourceMappingRequest,
): Promise<EventSourceMappingConfiguration> {
  return context.mappingTurns.run(() =>
    commitWithRetry(context.store, async () => {
      const present = await requireMapping(context, input.UUID);
      if (isMappingUnsettled(present.value.configuration)) throw mappingInUse('update');
      const settings = changedSettings(context, present.value, input);
      const record = await changedRecord(context, present.value, { input, settings });
      context.mappingClaims.check(record);
      const result = renderMapping(record.configuration);
      return { operations: [putDocument(present, record)], result };
    }),
  );
}

/** What was accepted once, be it by an earlier version of this server, is not looked at without a change. */
function changedSettings(
  { clock }: ControlContext,
  { kind, configuration }: EventSourceMappingRecord,
  input: UpdateEventSourceMappingRequest,
): MappingSettings {
  const rules = sourceRules[kind];
  const changes = settingsIn(input);
  const present = settingsOf(configuration);
  if (Object.keys(defined(changes)).length === 0) return present;
  checkSupported(rules, changes);
  checkDestinationGiven(changes);
  checkUnchangeable(rules, changes);
  const settings = withChanges(rules, present, changes);
  checkRequired(rules, settings);
  checkSettings(rules, settings, clock.nowMs());
  return settings;
}

async function changedRecord(
  context: ControlContext,
  previous: EventSourceMappingRecord,
  change: {
    readonly input: UpdateEventSourceMappingRequest;
    readonly settings: MappingSettings;
  },
): Promise<EventSourceMappingRecord> {
  const { input, settings } = change;
  const { kind, tags, configuration } = previous;
  const { UUID, EventSourceMappingArn, FunctionArn } = configuration;
  const target =
    input.FunctionName === undefined
      ? { ...previous, arn: FunctionArn }
      : await requireTarget(context, input.FunctionName);
  const { functionName, qualifier, arn } = target;
  const enabled = input.Enabled ?? previous.enabled;
  return {
    kind,
    functionName,
    ...(qualifier === undefined ? {} : { qualifier }),
    enabled,
    configuration: storedMapping(context.clock, sourceRules[kind], {
      settings,
      UUID,
      EventSourceMappingArn,
      FunctionArn: arn,
      State: stateAfterChange(sourceRules[kind], previous.enabled, enabled),
    }),
    tags,
    generation: context.random.uuid(),
  };
}
