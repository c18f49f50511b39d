/** From a stored mapping to the API's, and back: they differ in how dates are written. */
import type { Clock } from '../../base/clock.ts';
import type { StoredMapping } from '../../model/event-source-mapping.ts';
import type { EventSourceMappingConfiguration } from '../../model/generated/api-types.ts';
import { omitMembers } from '../omit-members.ts';
import type { MappingSettings, SourceRules } from './source-rules.ts';

export function renderMapping(mapping: StoredMapping): EventSourceMappingConfiguration {
  const { LastModified, StartingPositionTimestamp: from, ...rest } = mapping;
  return {
    ...rest,
    LastModified: new Date(LastModified),
    ...(from === undefined ? {} : { StartingPositionTimestamp: new Date(from) }),
  };
}

/** As a listing shows it: filters that are encrypted are left out. */
export function renderListed(mapping: StoredMapping): EventSourceMappingConfiguration {
  const rendered = renderMapping(mapping);
  return mapping.KMSKeyArn === undefined ? rendered : omitMembers(rendered, ['FilterCriteria']);
}

/** What is stored of a mapping with these settings that has just been changed. */
export function storedMapping(
  clock: Clock,
  { answer, defaults }: SourceRules,
  parts: Pick<StoredMapping, 'UUID' | 'EventSourceMappingArn' | 'FunctionArn' | 'State'> & {
    readonly settings: MappingSettings;
  },
): StoredMapping {
  const { settings, ...own } = parts;
  const { StartingPositionTimestamp: from, ...rest } = settings;
  return {
    ...rest,
    ...(from && { StartingPositionTimestamp: from.toISOString() }),
    BatchSize: settings.BatchSize ?? defaults.BatchSize,
    ...answer,
    ...own,
    LastModified: new Date(clock.nowMs()).toISOString(),
  };
}

/** The settings of a stored mapping, as a request would give them. */
export function settingsOf(mapping: StoredMapping): MappingSettings {
  return omitMembers(renderMapping(mapping), [
    'UUID',
    'EventSourceMappingArn',
    'FunctionArn',
    'LastModified',
    'LastProcessingResult',
    'State',
    'StateTransitionReason',
    'FilterCriteriaError',
  ]);
}
