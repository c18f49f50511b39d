/**
 * What the data plane knows of a function version: all that running it takes, derived once from the
 * stored document when the change feed brings it, so that an invoke reads no store (ADR 0007).
 */
import type { LastUpdateStatus, LogFormat, State, SystemLogLevel } from './generated/api-types.ts';
import { isImage, isSnapStartVersion, layersOf, type VersionRecord } from './function.ts';
import { limits } from './limits.ts';
import { isPerTenant } from './tenant-isolation.ts';

export interface RunnableVersion {
  /** Changes whenever anything that an environment was built from changes. */
  readonly key: string;
  readonly functionName: string;
  /** ARN without a qualifier. */
  readonly functionArn: string;
  /** '$LATEST' or a number. */
  readonly version: string;
  readonly state: State;
  readonly updateStatus: LastUpdateStatus;
  /** '' for an image, as are its version and the handler. */
  readonly runtime: string;
  readonly runtimeVersionArn: string;
  readonly handler: string;
  /** A published version whose environments are restored from a snapshot. */
  readonly snapStart: boolean;
  /** Each invocation names its tenant, and no environment serves two. */
  readonly perTenant: boolean;
  /** A container image instead of code, layers, a runtime and a handler. */
  readonly isImage: boolean;
  /** '' for an image. */
  readonly codeHash: string;
  /** Of its layers, lowest first. */
  readonly layerHashes: readonly string[];
  readonly timeoutMs: number;
  readonly memoryMb: number;
  readonly temporaryStorageMb: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly logGroup: string;
  readonly logFormat: LogFormat;
  readonly applicationLogLevel: string | undefined;
  /** Of the platform's own lines, with LogFormat JSON. */
  readonly systemLogLevel: SystemLogLevel;
}

export function runnableVersion(record: VersionRecord): RunnableVersion {
  const { configuration, code } = record;
  const { LoggingConfig: logging, FunctionName: functionName } = configuration;
  return {
    key: `${functionName}:${configuration.Version}:${record.buildId}`,
    functionName,
    functionArn: configuration.FunctionArn.split(':').slice(0, 7).join(':'),
    version: configuration.Version,
    state: configuration.State,
    updateStatus: configuration.LastUpdateStatus,
    runtime: configuration.Runtime ?? '',
    runtimeVersionArn: configuration.RuntimeVersionConfig?.RuntimeVersionArn ?? '',
    handler: configuration.Handler ?? '',
    snapStart: isSnapStartVersion(configuration),
    perTenant: isPerTenant(configuration),
    isImage: isImage(code),
    codeHash: isImage(code) ? '' : code.hash,
    layerHashes: layersOf(record).map((layer) => layer.code.hash),
    timeoutMs: configuration.Timeout * 1000,
    memoryMb: configuration.MemorySize,
    temporaryStorageMb: configuration.EphemeralStorage.Size,
    environment: configuration.Environment?.Variables ?? {},
    logGroup: logging?.LogGroup ?? `/aws/lambda/${functionName}`,
    logFormat: logging?.LogFormat ?? 'Text',
    applicationLogLevel: logging?.ApplicationLogLevel,
    systemLogLevel: logging?.SystemLogLevel ?? 'INFO',
  };
}

/** CPUs that a function of this memory gets after Init: 1 at 1,769 MB (architecture.md section 5). */
export function cpusForMemory(memoryMb: number): number {
  return memoryMb / limits.memoryMbPerVcpu;
}
