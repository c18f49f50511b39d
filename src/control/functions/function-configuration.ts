/**
 * The configuration of a function version: built from a request with the documented defaults, and
 * changed by later requests. What cannot work yet is refused here; what is harmless is kept and
 * given back (spec part B 1.1, 1.2, 1.5).
 */
import { createHash } from 'node:crypto';
import { checkConfiguration } from '../../model/configuration-rules.ts';
import { checkEnvironment } from '../../model/environment-rules.ts';
import type { ApiError } from '../../model/errors.ts';
import { invalidParameterValue } from '../../model/errors.ts';
import {
  isImage,
  type LayerReference,
  type PackageReference,
  type StoredConfiguration,
} from '../../model/function.ts';
import type {
  CreateFunctionRequest,
  FunctionConfiguration,
  ImageConfig,
  LoggingConfig,
  Runtime,
  UpdateFunctionConfigurationRequest,
  VpcConfig,
  VpcConfigResponse,
} from '../../model/generated/api-types.ts';
import { resolvedImage } from '../../model/image-uri.ts';
import { limits } from '../../model/limits.ts';
import { isOffered, isRuntimeBlocked, runtimes } from '../../model/runtimes.ts';
import { functionArn } from '../../model/arn.ts';
import type { ControlContext, ControlSettings } from '../control-context.ts';
import { LATEST } from './function-documents.ts';
import { defined } from '../omit-members.ts';

/** Settings that both CreateFunction and UpdateFunctionConfiguration take, in the same form. */
type SharedSettings = Pick<
  UpdateFunctionConfigurationRequest,
  | 'DeadLetterConfig'
  | 'Description'
  | 'Environment'
  | 'EphemeralStorage'
  | 'FileSystemConfigs'
  | 'Handler'
  | 'ImageConfig'
  | 'KMSKeyArn'
  | 'LoggingConfig'
  | 'MemorySize'
  | 'Role'
  | 'Runtime'
  | 'SnapStart'
  | 'Timeout'
  | 'TracingConfig'
  | 'VpcConfig'
>;

/** Throws for what the request asks that this server does not have, or that no function may have. */
export function checkRequested(
  { settings }: ControlContext,
  input: CreateFunctionRequest | UpdateFunctionConfigurationRequest,
): void {
  const unsupported = ['CapacityProviderConfig', 'DurableConfig', 'PublishTo'] as const;
  const given = input as Partial<Record<(typeof unsupported)[number], unknown>>;
  const member = unsupported.find((name) => given[name] !== undefined);
  if (member !== undefined) throw notSupported(member);
  if (input.Environment?.Variables !== undefined) {
    checkEnvironment(input.Environment.Variables, settings);
  }
}

/** In our own words: the service has these and so has no message for their absence. */
export function notSupported(member: string): ApiError {
  return invalidParameterValue(`${member} is not supported by this server yet.`);
}

/**
 * Throws when functions of this runtime can no longer be created or updated. Runtimes that this server
 * itself offers are its own to keep: for them the service's dates hold only if that is enforced.
 */
export function checkRuntime(
  { clock, settings }: ControlContext,
  runtime: Runtime | undefined,
  change: 'create' | 'update',
): void {
  if (runtime === undefined) return;
  if (isOffered(runtime) && !settings.enforceRuntimeDeprecation) return;
  if (!isRuntimeBlocked(runtime, change, clock.nowMs())) return;
  const { replacement } = runtimes[runtime];
  const advice =
    replacement === undefined ? 'a supported runtime' : `the new runtime (${replacement})`;
  throw invalidParameterValue(
    `The runtime parameter of ${runtime} is no longer supported for creating or updating AWS ` +
      `Lambda functions. We recommend you use ${advice} while creating or updating functions.`,
  );
}

/** The configuration of a new function's $LATEST: Pending until the reconciler has settled it. */
export function newConfiguration(
  context: ControlContext,
  input: CreateFunctionRequest,
  parts: {
    readonly functionName: string;
    readonly code: PackageReference;
    readonly layers: readonly LayerReference[];
  },
): StoredConfiguration {
  const { functionName, code, layers } = parts;
  const configuration: StoredConfiguration = {
    FunctionName: functionName,
    FunctionArn: functionArn(context.settings, functionName),
    Role: input.Role,
    Description: '',
    Timeout: limits.timeoutSecondsDefault,
    MemorySize: limits.memorySizeMbDefault,
    Version: LATEST,
    TracingConfig: { Mode: 'PassThrough' },
    PackageType: input.PackageType ?? 'Zip',
    Architectures: input.Architectures ?? ['x86_64'],
    EphemeralStorage: { Size: limits.ephemeralStorageMbDefault },
    SnapStart: { ApplyOn: 'None', OptimizationStatus: 'Off' },
    LoggingConfig: loggingConfig(functionName, {}),
    ...codeMembers(code),
    ...pending,
    ...defined({ TenancyConfig: input.TenancyConfig }),
    RevisionId: context.random.uuid(),
    LastModified: timestamp(context.clock.nowMs()),
  };
  return withSettings(withLayers(configuration, layers), input, context.settings);
}

/** A configuration with the given settings changed; members that are left out stay as they are. */
export function withSettings(
  configuration: StoredConfiguration,
  input: SharedSettings,
  settings: ControlSettings,
): StoredConfiguration {
  const changed: StoredConfiguration = {
    ...configuration,
    ...defined({
      Description: input.Description,
      EphemeralStorage: input.EphemeralStorage,
      FileSystemConfigs: input.FileSystemConfigs,
      Handler: input.Handler,
      MemorySize: input.MemorySize,
      Role: input.Role,
      Runtime: input.Runtime,
      Timeout: input.Timeout,
      VpcConfig: input.VpcConfig && vpcConfig(configuration.VpcConfig, input.VpcConfig),
    }),
  };
  if (input.Runtime !== undefined) {
    changed.RuntimeVersionConfig = {
      RuntimeVersionArn: runtimeVersionArn(settings.region, input.Runtime),
    };
  }
  if (input.TracingConfig?.Mode !== undefined) {
    changed.TracingConfig = { Mode: input.TracingConfig.Mode };
  }
  if (input.SnapStart !== undefined) {
    const applyOn = input.SnapStart.ApplyOn ?? 'None';
    changed.SnapStart = { ApplyOn: applyOn, OptimizationStatus: 'Off' };
  }
  if (input.LoggingConfig !== undefined) {
    changed.LoggingConfig = loggingConfig(configuration.FunctionName, input.LoggingConfig);
  }
  const settled = withClearable(changed, input);
  if (!hasUseOfKey(settled)) delete settled.KMSKeyArn;
  checkConfiguration(settled);
  return settled;
}

/** A configuration with exactly these layers. */
export function withLayers(
  configuration: StoredConfiguration,
  layers: readonly LayerReference[],
): StoredConfiguration {
  const changed = { ...configuration };
  const members = layers.map(({ arn, code }) => ({ Arn: arn, CodeSize: code.zippedBytes }));
  setOrDelete(changed, 'Layers', members.length === 0 ? undefined : members);
  return changed;
}

/** Members that a request can take away again, with an empty value. */
function withClearable(
  configuration: StoredConfiguration,
  input: Pick<
    SharedSettings,
    'DeadLetterConfig' | 'Environment' | 'FileSystemConfigs' | 'ImageConfig' | 'KMSKeyArn'
  >,
): StoredConfiguration {
  const changed = { ...configuration };
  // Without Variables an Environment says nothing: those that are there stay (cdkd #1158, a call of 2026).
  if (input.Environment?.Variables !== undefined) {
    setOrDelete(changed, 'Environment', variables(input.Environment.Variables));
  }
  // Without a TargetArn it says nothing: an empty one takes the target away (radkawar/stackd docs/lambda.md).
  const target = input.DeadLetterConfig?.TargetArn;
  if (target !== undefined) {
    setOrDelete(changed, 'DeadLetterConfig', target === '' ? undefined : { TargetArn: target });
  }
  if (input.KMSKeyArn !== undefined)
    setOrDelete(changed, 'KMSKeyArn', input.KMSKeyArn || undefined);
  if (input.FileSystemConfigs?.length === 0) delete changed.FileSystemConfigs;
  if (input.ImageConfig !== undefined)
    setOrDelete(changed, 'ImageConfigResponse', imageConfig(input.ImageConfig));
  return changed;
}

/**
 * Whether there is something that a key encrypts: variables (without them the service does not keep it:
 * terraform-provider-aws #6366), or as the SDK's documentation has it snapshots or an image.
 */
function hasUseOfKey({ Environment, SnapStart, PackageType }: StoredConfiguration): boolean {
  return (
    Environment !== undefined ||
    SnapStart?.ApplyOn === 'PublishedVersions' ||
    PackageType === 'Image'
  );
}

function variables(given: Readonly<Record<string, string>>): FunctionConfiguration['Environment'] {
  return Object.keys(given).length === 0 ? undefined : { Variables: given };
}

/** Members that override nothing are left out, and all of it when none is left. */
function imageConfig(given: ImageConfig): FunctionConfiguration['ImageConfigResponse'] {
  const members = Object.entries(given).filter(
    ([, value]) => value !== undefined && value.length > 0,
  );
  return members.length === 0 ? undefined : { ImageConfig: Object.fromEntries(members) };
}

function setOrDelete<Member extends keyof FunctionConfiguration>(
  configuration: FunctionConfiguration,
  member: Member,
  value: FunctionConfiguration[Member],
): void {
  if (value === undefined) delete configuration[member];
  else configuration[member] = value;
}

/**
 * What is left out has its default, also in updates (radkawar/stackd docs/lambda.md). Levels exist only
 * for the JSON format.
 */
function loggingConfig(functionName: string, given: LoggingConfig): LoggingConfig {
  const config: LoggingConfig = {
    LogFormat: 'Text',
    LogGroup: `/aws/lambda/${functionName}`,
    ...defined(given),
  };
  if (config.LogFormat !== 'JSON') {
    if (given.ApplicationLogLevel !== undefined || given.SystemLogLevel !== undefined) {
      throw invalidParameterValue(
        'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your ' +
          'request or change the LogFormat to "JSON" and try again.',
      );
    }
    return config;
  }
  return { ApplicationLogLevel: 'INFO', SystemLogLevel: 'INFO', ...config };
}

/** Kept and given back; functions here have the host's network. Members left out stay. */
function vpcConfig(present: VpcConfigResponse | undefined, given: VpcConfig): VpcConfigResponse {
  return {
    SubnetIds: given.SubnetIds ?? present?.SubnetIds ?? [],
    SecurityGroupIds: given.SecurityGroupIds ?? present?.SecurityGroupIds ?? [],
    VpcId: '',
    Ipv6AllowedForDualStack:
      given.Ipv6AllowedForDualStack ?? present?.Ipv6AllowedForDualStack ?? false,
  };
}

/** Members that tell what a package is: of an image whose digest is not known, only that it takes no room. */
export function codeMembers(
  code: PackageReference,
): Pick<StoredConfiguration, 'CodeSha256' | 'CodeSize'> {
  if (isImage(code)) {
    return defined({ CodeSha256: resolvedImage(code.imageUri)?.digest, CodeSize: 0 });
  }
  return {
    CodeSha256: Buffer.from(code.hash, 'hex').toString('base64'),
    CodeSize: code.zippedBytes,
  };
}

const creating = 'The function is being created.';

/** State members of a function that is being made. */
export const pending = {
  State: 'Pending',
  StateReason: creating,
  StateReasonCode: 'Creating',
  ...updating(),
} as const satisfies Partial<StoredConfiguration>;

/** State members of a function that is being updated, as the service words it for every update. */
export function updating(): Pick<
  StoredConfiguration,
  'LastUpdateStatus' | 'LastUpdateStatusReason' | 'LastUpdateStatusReasonCode'
> {
  return {
    LastUpdateStatus: 'InProgress',
    LastUpdateStatusReason: creating,
    // Public reports of real answers have this code here; the model's list of codes lacks it.
    LastUpdateStatusReasonCode: 'Creating' as 'InternalError',
  };
}

/** '2024-01-01T00:00:00.000+0000'. */
export function timestamp(nowMs: number): string {
  return new Date(nowMs).toISOString().replace('Z', '+0000');
}

/** An identifier of the runtime's version: the account field is empty, as in the service's own. */
export function runtimeVersionArn(region: string, runtime: string): string {
  const hash = createHash('sha256').update(`hearth runtime ${runtime}`).digest('hex');
  return `arn:aws:lambda:${region}::runtime:${hash}`;
}
