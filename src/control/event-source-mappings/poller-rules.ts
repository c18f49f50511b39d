/** Rules of provisioned mode, which queues and Kafka have, and of what Kafka has only with it. */
import { invalidParameterValue } from '../../model/errors.ts';
import type { KafkaSchemaRegistryConfig } from '../../model/generated/api-types.ts';
import { limits } from '../../model/limits.ts';
import type { MappingSettings, SourceRules } from './source-rules.ts';

/** Registries of this service need no access configuration: the function's role has the permission. */
const glueArn = /^arn:[^:]*:glue:/;

/**
 * Throws for a new mapping whose provisioned mode has no bounds. These words, and those of checkPollers
 * for queues, are in a comparable project (radkawar/stackd); of Kafka they are so by analogy.
 */
export function checkPollersGiven({ ProvisionedPollerConfig: config }: MappingSettings): void {
  if (config === undefined) return;
  if (config.MinimumPollers !== undefined || config.MaximumPollers !== undefined) return;
  throw invalidParameterValue(
    'Either MinimumPollers or MaximumPollers are required if ProvisionedPollerConfig is provided.',
  );
}

export function checkPollers(
  { pollers }: SourceRules,
  { ProvisionedPollerConfig: config, ScalingConfig }: MappingSettings,
): void {
  if (config === undefined || pollers === undefined) return;
  const { MinimumPollers: minimum = 0, MaximumPollers: maximum = 0, PollerGroupName } = config;
  if (PollerGroupName !== undefined && !pollers.hasGroups) {
    throw invalidParameterValue(
      "Unsupported 'provisionedPollerConfig.pollerGroupName' parameter for given event source mapping type.",
    );
  }
  const { minimumMin, maximumMax } = pollers;
  const { minimumPollersMax } = limits;
  const isMinimumRight = minimum >= minimumMin && minimum <= minimumPollersMax;
  if (!isMinimumRight || maximum < minimum || maximum > maximumMax) {
    throw invalidParameterValue(
      `MinimumPollers should be between [${minimumMin}, ${minimumPollersMax}] and MaximumPollers ` +
        `should be between [MinimumPollers, ${maximumMax}]`,
    );
  }
  if (ScalingConfig !== undefined) {
    throw invalidParameterValue(
      'Provisioned mode for SQS ESM does not support maximum concurrency feature. ' +
        'Use MaximumPollers as the control mechanism and remove maximum concurrency.',
    );
  }
}

/** Metrics, logs and a schema registry are there in provisioned mode only. */
export function checkKafka(
  { isObservedWhenProvisioned, kafkaConfig }: SourceRules,
  settings: MappingSettings,
): void {
  if (isObservedWhenProvisioned !== true) return;
  const registry = kafkaConfig && settings[kafkaConfig]?.SchemaRegistryConfig;
  if (settings.ProvisionedPollerConfig === undefined) {
    const needing = {
      MetricsConfig: settings.MetricsConfig,
      LoggingConfig: settings.LoggingConfig,
      SchemaRegistryConfig: registry,
    };
    for (const [name, value] of Object.entries(needing)) {
      if (value !== undefined) throw onlyProvisioned(name);
    }
  }
  if (registry !== undefined) checkRegistry(registry);
}

/** As a comparable project has it for MetricsConfig (radkawar/stackd); the others by analogy. */
function onlyProvisioned(name: string): Error {
  return invalidParameterValue(
    `${name} is only available for Provisioned Mode. Enable Provisioned Mode by specifying ` +
      'MinimumPollers in ProvisionedPollerConfig.',
  );
}

function checkRegistry({
  SchemaRegistryURI: uri,
  EventRecordFormat: format,
  AccessConfigs: access = [],
  SchemaValidationConfigs: validation = [],
}: KafkaSchemaRegistryConfig): void {
  const needed = {
    schemaRegistryURI: uri,
    eventRecordFormat: format,
    schemaValidationConfigs: validation.length > 0 ? validation : undefined,
  };
  for (const [name, value] of Object.entries(needed)) {
    if (value === undefined) {
      throw invalidParameterValue(`Required '${name}' parameter is missing.`);
    }
  }
  if (access.length > 0 && glueArn.test(uri ?? '')) {
    throw invalidParameterValue('AccessConfigs are not supported for AWS Glue schema registries.');
  }
  if (access.some(({ Type, URI }) => Type === undefined || URI === undefined)) {
    throw invalidParameterValue('Every access configuration needs a Type and a URI.');
  }
}
