/**
 * Settings of a mapping: what a request says, put over what is there or over the defaults of its kind.
 * An empty value takes a setting away (documentation of UpdateEventSourceMapping in the SDK's models).
 */
import type {
  CreateEventSourceMappingRequest,
  KafkaSchemaRegistryConfig,
  ProvisionedPollerConfig,
  SelfManagedEventSource,
  SourceAccessConfiguration,
  UpdateEventSourceMappingRequest,
} from '../../model/generated/api-types.ts';
import { omitMembers } from '../omit-members.ts';
import type { MappingSettings, SourceRules } from './source-rules.ts';

/** The settings in a request to create or to update. */
export function settingsIn(
  request: CreateEventSourceMappingRequest | UpdateEventSourceMappingRequest,
): MappingSettings {
  const notSettings = ['UUID', 'FunctionName', 'Enabled', 'Tags'];
  return omitMembers(request, notSettings as (keyof typeof request)[]);
}

/** `changes` put over `present`; defaults that depend on the kind are filled in. */
export function withChanges(
  rules: SourceRules,
  present: MappingSettings,
  changes: MappingSettings,
): MappingSettings {
  const settings: Record<string, unknown> = { ...present };
  for (const [name, change] of Object.entries(changes)) {
    if (change === undefined) continue;
    const merge = merges[name as keyof MappingSettings] as Merge<unknown> | undefined;
    const value = merge === undefined ? change : merge(change, settings[name], rules);
    if (value === undefined) delete settings[name];
    else settings[name] = value;
  }
  // Filters take their key along (radkawar/stackd's notes of the service).
  const isUnfiltered =
    changes.FilterCriteria !== undefined && settings.FilterCriteria === undefined;
  return isUnfiltered ? omitMembers(settings, ['KMSKeyArn']) : settings;
}

/** The new value of a setting; undefined takes it away. */
type Merge<Value> = (
  change: NonNullable<Value>,
  present: Value,
  rules: SourceRules,
) => Value | undefined;

const merges: { readonly [Name in keyof MappingSettings]?: Merge<MappingSettings[Name]> } = {
  KMSKeyArn: (arn) => (arn === '' ? undefined : arn),
  FilterCriteria: (criteria) => (criteria.Filters?.length ? criteria : undefined),
  MetricsConfig: (config) => (config.Metrics?.length ? config : undefined),
  LoggingConfig: (config) => (config.SystemLogLevel === undefined ? undefined : config),
  ScalingConfig: (config) => (config.MaximumConcurrency === undefined ? undefined : config),
  ProvisionedPollerConfig: (config, present, { pollers }) =>
    pollers === undefined || Object.keys(config).length === 0
      ? undefined
      : pollerConfig(config, present, pollers),
  DestinationConfig: (config) =>
    config.OnFailure?.Destination ? config : { ...config, OnFailure: {} },
  SelfManagedEventSource: withSortedServers,
  SourceAccessConfigurations: withKeptVirtualHost,
  AmazonManagedKafkaEventSourceConfig: kafkaConfig,
  SelfManagedKafkaEventSourceConfig: kafkaConfig,
  DocumentDBEventSourceConfig: (config, present) => ({ ...present, ...config }),
};

function pollerConfig(
  config: ProvisionedPollerConfig,
  present: ProvisionedPollerConfig | undefined,
  pollers: NonNullable<SourceRules['pollers']>,
): ProvisionedPollerConfig {
  return {
    MinimumPollers: pollers.minimumMin,
    MaximumPollers: pollers.maximumDefault,
    ...present,
    ...config,
  };
}

/** The service gives a cluster's servers back in order (terraform-provider-aws, event_source_mapping.go). */
function withSortedServers({ Endpoints }: SelfManagedEventSource): SelfManagedEventSource {
  const { KAFKA_BOOTSTRAP_SERVERS: servers = [] } = Endpoints ?? {};
  return { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: servers.toSorted() } };
}

/** A virtual host cannot be changed, nor be left out by listing the others. */
function withKeptVirtualHost(
  change: readonly SourceAccessConfiguration[],
  present: readonly SourceAccessConfiguration[] | undefined,
): SourceAccessConfiguration[] {
  const kept = (present ?? []).filter(({ Type }) => Type === 'VIRTUAL_HOST');
  return [...change, ...kept];
}

interface KafkaConfig {
  readonly ConsumerGroupId?: string | undefined;
  readonly SchemaRegistryConfig?: KafkaSchemaRegistryConfig | undefined;
}

/** An empty SchemaRegistryConfig takes the registry away; one that is left out stays. */
function kafkaConfig(change: KafkaConfig, present: KafkaConfig | undefined): KafkaConfig {
  const merged = { ...present, ...change };
  const { SchemaRegistryConfig: registry } = merged;
  const isEmpty = registry !== undefined && Object.keys(registry).length === 0;
  return isEmpty ? omitMembers(merged, ['SchemaRegistryConfig']) : merged;
}
