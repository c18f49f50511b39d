/**
 * Whether a request and the settings it leads to are right for the kind of source: checks that the table
 * of kinds drives (source-rules.ts). Each throws InvalidParameterValue.
 */
import { destinationKindOf, isFifo, parseDestinationArn } from '../../model/destination-arn.ts';
import { isEventPattern } from '../../model/event-pattern.ts';
import type { EventSourceKind } from '../../model/event-source-mapping.ts';
import { invalidParameterValue } from '../../model/errors.ts';
import { destinationConfigInvalid, destinationInvalid } from '../../model/trigger-errors.ts';
import type {
  CreateEventSourceMappingRequest,
  UpdateEventSourceMappingRequest,
} from '../../model/generated/api-types.ts';
import { limits } from '../../model/limits.ts';
import type { ControlSettings } from '../control-context.ts';
import { checkKafka, checkPollers } from './poller-rules.ts';
import {
  commonSettings,
  sourceRules,
  type MappingSettings,
  type SettingName,
  type SourceRules,
} from './source-rules.ts';
import { checkAccess } from './source-access.ts';

/** Throws for a source of no kind, of two, or of another region. */
export function sourceKindOf(
  request: Pick<CreateEventSourceMappingRequest, 'EventSourceArn' | 'SelfManagedEventSource'>,
  { region }: Pick<ControlSettings, 'region'>,
): EventSourceKind {
  const { EventSourceArn: arn, SelfManagedEventSource: selfManaged } = request;
  const hasServers = selfManaged?.Endpoints?.KAFKA_BOOTSTRAP_SERVERS !== undefined;
  if (hasServers && arn === undefined) return 'self-managed-kafka';
  // As LocalStack has it.
  if (arn === undefined || selfManaged !== undefined) {
    throw invalidParameterValue('Unrecognized event source.');
  }
  const [, , ...rest] = arn.split(':');
  const kinds = Object.keys(sourceRules) as EventSourceKind[];
  const kind = kinds.find((name) => sourceRules[name].arnPattern?.test(rest.join(':')));
  if (kind === undefined) {
    // aws-controllers-k8s #2250.
    throw invalidParameterValue(`Unrecognized event source. Unsupported source arn : ${arn}`);
  }
  if (rest[1] !== region) {
    throw invalidParameterValue('The event source must be in the same region as the function.');
  }
  return kind;
}

/** As the service spells settings in its messages: 'maximumRetryAttempts'. */
function spelled(name: SettingName): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** pulumi-aws #1418. */
function unsupported(name: string): Error {
  return invalidParameterValue(
    `Unsupported '${name}' parameter for given event source mapping type.`,
  );
}

function isMissing(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.length === 0);
}

/** Throws for settings that the kind does not have. */
export function checkSupported(rules: SourceRules, settings: MappingSettings): void {
  const supported = new Set([...commonSettings, ...rules.required, ...rules.optional]);
  for (const name of Object.keys(settings) as SettingName[]) {
    if (settings[name] === undefined || supported.has(name)) continue;
    const words = rules.words?.[name];
    throw words === undefined ? unsupported(spelled(name)) : invalidParameterValue(words);
  }
}

/** Throws for settings that the kind needs and that are not there; words as LocalStack has them. */
export function checkRequired(rules: SourceRules, settings: MappingSettings): void {
  for (const name of rules.required) {
    if (!isMissing(settings[name])) continue;
    const usual = `Required '${spelled(name)}' parameter is missing.`;
    throw invalidParameterValue(rules.words?.[name] ?? usual);
  }
}

/**
 * Throws for an OnFailure that says nothing: answers have it so, requests may not (aws-controllers-k8s
 * #2865). An empty Destination takes away the one that is there.
 */
export function checkDestinationGiven({ DestinationConfig }: MappingSettings): void {
  const { OnFailure } = DestinationConfig ?? {};
  if (OnFailure === undefined || OnFailure.Destination !== undefined) return;
  throw invalidParameterValue('The Destination field is required for an OnFailure configuration.');
}

/** Throws for what cannot be changed once a mapping is there. */
export function checkUnchangeable(
  rules: SourceRules,
  changes: Omit<UpdateEventSourceMappingRequest, 'UUID'>,
): void {
  const { kafkaConfig } = rules;
  // Also when it is the same (go-to-k/cdkd #3851).
  if (kafkaConfig !== undefined && changes[kafkaConfig]?.ConsumerGroupId !== undefined) {
    throw unsupported(`${spelled(kafkaConfig)}.consumerGroupId`);
  }
  if (changes.SourceAccessConfigurations?.some(({ Type }) => Type === 'VIRTUAL_HOST')) {
    throw invalidParameterValue('VIRTUAL_HOST cannot be specified in an update.');
  }
  const { CollectionName, DatabaseName } = changes.DocumentDBEventSourceConfig ?? {};
  const names = [
    ...(CollectionName === undefined ? [] : ['collectionName']),
    ...(DatabaseName === undefined ? [] : ['databaseName']),
  ];
  // aws-cli #7756.
  if (names.length > 0) throw invalidParameterValue(`Invalid parameters: ${names.join(', ')}`);
}

type Check = (rules: SourceRules, settings: MappingSettings, nowMs: number) => void;

const checks: readonly Check[] = [
  checkStartingPosition,
  checkBatch,
  checkRecordAge,
  checkDestination,
  checkFilters,
  checkTumblingWindow,
  checkAccess,
  checkDocumentDb,
  checkPollers,
  checkKafka,
  checkMetrics,
];

/** Throws for the first fault of complete settings. */
export function checkSettings(rules: SourceRules, settings: MappingSettings, nowMs: number): void {
  for (const check of checks) check(rules, settings, nowMs);
}

function checkStartingPosition(
  { startingPositions }: SourceRules,
  { StartingPosition: position, StartingPositionTimestamp: from, EventSourceArn }: MappingSettings,
  nowMs: number,
): void {
  if (startingPositions === undefined || position === undefined) return;
  if (!startingPositions.includes(position)) {
    // As LocalStack has it.
    throw invalidParameterValue(
      `Unsupported starting position for arn type: ${EventSourceArn ?? ''}`,
    );
  }
  if (position === 'AT_TIMESTAMP') {
    // aws-cloudformation-user-guide #334.
    if (from === undefined) throw invalidParameterValue('Need to specify a timestamp');
    if (from.getTime() > nowMs) {
      throw invalidParameterValue('StartingPositionTimestamp cannot be in the future.');
    }
  } else if (from !== undefined) {
    throw invalidParameterValue(
      'StartingPositionTimestamp is valid only with the starting position AT_TIMESTAMP.',
    );
  }
}

function checkBatch(
  { hasNoWindow, batchSizeMax = Infinity, batchSizeMaxWithoutWindow = Infinity }: SourceRules,
  { BatchSize: size = 1, MaximumBatchingWindowInSeconds: window = 0 }: MappingSettings,
): void {
  if (hasNoWindow === true && window > 0) {
    // aws-lambda-dotnet #1758.
    throw invalidParameterValue('Batching window is not supported for FIFO queues');
  }
  if (size > batchSizeMax) {
    // pulumi-aws-serverless #20.
    throw invalidParameterValue(
      `Maximum batch size must be between 1 and ${batchSizeMax} inclusive`,
    );
  }
  if (size > batchSizeMaxWithoutWindow && window === 0) {
    // serverless #8989.
    throw invalidParameterValue(
      'Maximum batch window in seconds must be greater than 0 if maximum batch size is greater ' +
        `than ${batchSizeMaxWithoutWindow}`,
    );
  }
}

function checkRecordAge(
  _rules: SourceRules,
  { MaximumRecordAgeInSeconds: age = -1 }: MappingSettings,
): void {
  const { recordAgeSecondsMin: min, recordAgeSecondsMax: max } = limits;
  if (age === -1 || (age >= min && age <= max)) return;
  // terraform-provider-aws #16113.
  throw invalidParameterValue(
    `MaximumRecordAgeInSeconds must be either -1 (forever) or between ${min} and ${max} (inclusive)`,
  );
}

function checkDestination(
  { destinations = [] }: SourceRules,
  { DestinationConfig: config }: MappingSettings,
): void {
  if (config?.OnSuccess !== undefined) {
    // As LocalStack has it.
    throw invalidParameterValue(
      'Unsupported DestinationConfig parameter for given event source mapping type.',
    );
  }
  const destination = config?.OnFailure?.Destination;
  if (destination === undefined) return;
  const kind = destination.startsWith('kafka://') ? 'kafka' : destinationKindOf(destination);
  if (kind === undefined || !destinations.includes(kind)) {
    throw destinationConfigInvalid(undefined, destination);
  }
  if (kind === 'kafka') return;
  const parsed = parseDestinationArn(destination);
  if (parsed === undefined) throw destinationInvalid(destination);
  if (isFifo(parsed)) throw destinationConfigInvalid(undefined, destination);
}

function checkFilters(
  _rules: SourceRules,
  { FilterCriteria: { Filters: filters = [] } = {} }: MappingSettings,
): void {
  if (filters.length > limits.filtersPerMappingMax) {
    throw invalidParameterValue(
      `The number of filters exceeds the limit of ${limits.filtersPerMappingMax}.`,
    );
  }
  if (filters.every(({ Pattern }) => Pattern !== undefined && isEventPattern(Pattern))) return;
  // aws-cdk #23057.
  throw invalidParameterValue('Invalid filter pattern definition.');
}

/** What a tumbling window is refused with is known from radkawar/stackd's notes; the words are our own. */
function checkTumblingWindow(
  _rules: SourceRules,
  { TumblingWindowInSeconds: window = 0, ParallelizationFactor, FilterCriteria }: MappingSettings,
): void {
  if (window === 0) return;
  if ((ParallelizationFactor ?? 1) === 1 && FilterCriteria === undefined) return;
  throw invalidParameterValue(
    'TumblingWindowInSeconds cannot be used with a ParallelizationFactor above 1 or with FilterCriteria.',
  );
}

function checkDocumentDb(
  { required }: SourceRules,
  { DocumentDBEventSourceConfig: config }: MappingSettings,
): void {
  if (!required.includes('DocumentDBEventSourceConfig')) return;
  if (config?.DatabaseName === undefined) {
    throw invalidParameterValue("Required 'databaseName' parameter is missing.");
  }
}

function checkMetrics(
  { metrics = [] }: SourceRules,
  { MetricsConfig: { Metrics: asked = [] } = {} }: MappingSettings,
): void {
  const other = asked.find((metric) => !metrics.includes(metric));
  if (other === undefined) return;
  throw invalidParameterValue(`Unsupported metric '${other}' for given event source mapping type.`);
}
