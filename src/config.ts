/**
 * Configuration: raw settings (flags, the process environment) to one validated, frozen Config. The
 * only reader of the process environment. Every default and every rule between settings is here.
 */
import { existsSync } from 'node:fs';
import { availableParallelism, homedir, totalmem } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LogLevel } from './base/log.ts';
import { KIB, limits, MIB } from './model/limits.ts';
import { defaultQuotas, quotaBounds, type Quotas } from './model/quotas.ts';

export interface ServeFlags {
  readonly port: number;
  readonly host: string;
  readonly data: string;
  readonly sandbox: string;
  readonly runtimePath: string | undefined;
  readonly region: string;
  readonly auth: string;
  readonly insecure: boolean;
  readonly logLevel: string;
  readonly functionLogs: boolean;
  readonly poolSize: number;
  readonly memoryBudgetMb: number | undefined;
  readonly environmentsMax: number;
  readonly idleSeconds: number;
  readonly environmentLifetimeSeconds: number;
  readonly accountConcurrency: number | undefined;
  readonly scalingRate: number | undefined;
  readonly enforceRuntimeDeprecation: boolean;
  readonly codeStorageMb: number | undefined;
  readonly codeZippedMb: number | undefined;
  readonly codeUnzippedMb: number | undefined;
  readonly environmentKb: number | undefined;
  readonly layersMax: number | undefined;
  readonly settleDelayMs: number | undefined;
}

export interface Config {
  readonly port: number;
  readonly host: string;
  /** Only loopback clients can reach us: then Host and Origin are checked against web pages. */
  readonly loopbackOnly: boolean;
  readonly dataFolder: string;
  readonly sandbox: 'auto' | 'process' | 'oci';
  readonly ociRuntimePath: string | undefined;
  readonly accountId: string;
  readonly region: string;
  readonly logLevel: LogLevel;
  readonly functionLogs: boolean;
  readonly poolSize: number;
  readonly memoryBudgetMb: number;
  readonly environmentsMax: number;
  readonly idleMsMax: number;
  /** An environment that is older takes no further invocation. */
  readonly lifetimeMsMax: number;
  readonly freezeAfterMs: number;
  readonly waitersMax: number;
  readonly waitMsMax: number;
  readonly drainMsMax: number;
  /** How long to wait for a sweep of the same data folder to end. */
  readonly lockWaitMsMax: number;
  /** Invocations of the account at once. */
  readonly concurrencyMax: number;
  /** New environments of one function in ten seconds. */
  readonly scalingRateMax: number;
  readonly enforceRuntimeDeprecation: boolean;
  readonly quotas: Quotas;
  /** From a change of a function to its settling. */
  readonly settleDelayMs: number;
  /** Where code in buckets is fetched from; undefined without an endpoint in the environment. */
  readonly s3Endpoint: string | undefined;
  readonly runtimes: RuntimeSearch;
}

export interface RuntimeSearch {
  readonly searchPath: readonly string[];
  readonly pyenvRoot?: string;
  readonly packageFolder: string;
  readonly runtimesFolder: string;
}

/** A setting that cannot be; the message says which, why and what to do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** The share of the host's memory that functions may claim by their memory sizes. */
const memoryShareDefault = 0.8;
/** More helps no test of waiters, and keeps a function from its first invocation. */
const settleDelayMsMax = 600_000;
const logLevels: readonly string[] = ['debug', 'info', 'warn', 'error', 'silent'];
const regionPattern = /^[a-z]{2}(-[a-z]+)+-\d$/;

export const projectFolder = fileURLToPath(new URL('..', import.meta.url));

/** Validates flags and fills in what they leave out. Throws ConfigError. */
export function compileConfig(flags: ServeFlags): Config {
  requireInteger('--port', flags.port, 0, 65_535);
  requireInteger('--pool-size', flags.poolSize, 0, 64);
  requireInteger('--environments-max', flags.environmentsMax, 1, 10_000);
  requireInteger('--idle-seconds', flags.idleSeconds, 1, 24 * 60 * 60);
  requireInteger(
    '--environment-lifetime-seconds',
    flags.environmentLifetimeSeconds,
    60,
    24 * 60 * 60,
  );
  const concurrencyMax = flags.accountConcurrency ?? limits.concurrencyAccountDefault;
  requireInteger('--account-concurrency', concurrencyMax, 1, 1_000_000);
  const scalingRateMax = flags.scalingRate ?? limits.scalingEnvironmentsDefault;
  requireInteger('--scaling-rate', scalingRateMax, 1, 1_000_000);
  const memoryBudgetMb =
    flags.memoryBudgetMb ?? Math.floor((totalmem() / MIB) * memoryShareDefault);
  requireInteger('--memory-budget-mb', memoryBudgetMb, limits.memorySizeMbMin, 64 * MIB);
  const settleDelayMs = flags.settleDelayMs ?? 0;
  requireInteger('--settle-delay-ms', settleDelayMs, 0, settleDelayMsMax);
  if (!regionPattern.test(flags.region)) {
    throw new ConfigError(`--region ${flags.region} is not a region name such as us-east-1.`);
  }
  if (flags.auth !== 'off') {
    throw new ConfigError(`--auth ${flags.auth} is not known; the only choice today is off.`);
  }
  const loopbackOnly = isLoopback(flags.host);
  if (!loopbackOnly && !flags.insecure) {
    throw new ConfigError(
      `--host ${flags.host} can be reached from other machines while --auth off lets anyone in. ` +
        'Use a loopback address, or add --insecure if the network in front of it is trusted.',
    );
  }
  return Object.freeze({
    port: flags.port,
    host: flags.host,
    loopbackOnly,
    dataFolder: resolve(flags.data),
    sandbox: requireChoice('--sandbox', flags.sandbox, ['auto', 'process', 'oci']),
    ociRuntimePath: flags.runtimePath,
    accountId: '000000000000',
    region: flags.region,
    logLevel: requireChoice('--log-level', flags.logLevel, logLevels) as LogLevel,
    functionLogs: flags.functionLogs,
    poolSize: flags.poolSize,
    memoryBudgetMb,
    environmentsMax: flags.environmentsMax,
    idleMsMax: flags.idleSeconds * 1000,
    lifetimeMsMax: flags.environmentLifetimeSeconds * 1000,
    freezeAfterMs: 10,
    waitersMax: 1000,
    waitMsMax: 30_000,
    drainMsMax: 30_000,
    lockWaitMsMax: 30_000,
    concurrencyMax,
    scalingRateMax,
    enforceRuntimeDeprecation: flags.enforceRuntimeDeprecation,
    quotas: compileQuotas(flags),
    settleDelayMs,
    s3Endpoint: findS3Endpoint(),
    runtimes: findRuntimeSearch(),
  });
}

/** Flags are in the units that people know the quotas in; what is left out is as documented. */
function compileQuotas(flags: ServeFlags): Quotas {
  const setting = (flag: string, quota: keyof Quotas, given: number | undefined, unit: number) => {
    if (given === undefined) return defaultQuotas[quota];
    const { min, max } = quotaBounds[quota];
    requireInteger(flag, given, min / unit, max / unit);
    return given * unit;
  };
  const quotas: Quotas = {
    codeStorageBytesMax: setting(
      '--code-storage-mb',
      'codeStorageBytesMax',
      flags.codeStorageMb,
      MIB,
    ),
    codeZippedBytesMax: setting('--code-zipped-mb', 'codeZippedBytesMax', flags.codeZippedMb, MIB),
    codeUnzippedBytesMax: setting(
      '--code-unzipped-mb',
      'codeUnzippedBytesMax',
      flags.codeUnzippedMb,
      MIB,
    ),
    environmentBytesMax: setting(
      '--environment-kb',
      'environmentBytesMax',
      flags.environmentKb,
      KIB,
    ),
    layersPerFunctionMax: setting('--layers-max', 'layersPerFunctionMax', flags.layersMax, 1),
  };
  return Object.freeze(quotas);
}

/** The variables that SDKs and the AWS CLI know, the more specific first; empty is none. */
export function findS3Endpoint(): string | undefined {
  for (const name of ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL']) {
    const endpoint = process.env[name];
    if (endpoint === undefined || endpoint === '') continue;
    if (/^https?:\/\/[^/\s]/.test(endpoint) && URL.canParse(endpoint)) return endpoint;
    throw new ConfigError(`${name}=${endpoint} is not an address such as http://127.0.0.1:9000.`);
  }
  return undefined;
}

/** Where language binaries are looked for. */
export function findRuntimeSearch(): RuntimeSearch {
  const pyenvRoot = process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv');
  return {
    searchPath: (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== ''),
    ...(existsSync(pyenvRoot) ? { pyenvRoot } : {}),
    packageFolder: join(projectFolder, 'node_modules'),
    runtimesFolder: join(projectFolder, 'runtimes'),
  };
}

/** Environments at once by default: enough for any test, few enough for a laptop. */
export function defaultEnvironmentsMax(): number {
  return Math.max(64, availableParallelism() * 64);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function requireInteger(flag: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new ConfigError(`${flag} takes a whole number from ${min} to ${max}.`);
}

function requireChoice<Choice extends string>(
  flag: string,
  value: string,
  choices: readonly Choice[],
): Choice {
  const chosen = choices.find((choice) => choice === value);
  if (chosen !== undefined) return chosen;
  throw new ConfigError(`${flag} ${value} is not known; choose one of ${choices.join(', ')}.`);
}
