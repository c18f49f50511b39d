/**
 * The environment of a function's runtime (guide page 001): what the platform reserves, what it
 * gives by default and the user may replace, and the user's own.
 */
import type { RunnableVersion } from '../model/runnable-version.ts';
import type { SandboxPaths } from '../sandbox/sandbox.ts';
import type { InstalledRuntime } from './runtimes.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

export interface EnvironmentVariableInputs {
  readonly version: RunnableVersion;
  readonly runtime: InstalledRuntime;
  readonly paths: SandboxPaths;
  readonly region: string;
  readonly logStream: string;
  readonly runtimeApiAddress: string;
  readonly initializationType: string;
  readonly credentials: Credentials;
}

/** Of the user's variables, those whose paths the system and the interpreters follow. */
const PATH_VARIABLES = /^(PATH|LD_\w+|NODE_\w+|PYTHON\w+|AWS_LAMBDA_EXEC_WRAPPER)$/;

/** The complete environment: reserved names win over the user's, the user's over the defaults. */
export function functionEnvironment(inputs: EnvironmentVariableInputs): Record<string, string> {
  return {
    ...defaultVariables(inputs),
    ...placed(inputs.version.environment, inputs.paths),
    ...reservedVariables(inputs),
  };
}

/**
 * Where the driver cannot mount, layers and code are in folders of their own: paths to /opt and /var/task
 * that are followed before the function's code runs lead there. All other values stay as they are.
 */
function placed(
  variables: Readonly<Record<string, string>>,
  { optRoot, taskRoot }: SandboxPaths,
): Record<string, string> {
  const place = (value: string): string =>
    value
      .replaceAll(/(?<=^|[\s:="]|file:\/\/)\/opt(?=[/\s:"]|$)/g, () => optRoot)
      .replaceAll(/(?<=^|[\s:="]|file:\/\/)\/var\/task(?=[/\s:"]|$)/g, () => taskRoot);
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [
      name,
      PATH_VARIABLES.test(name) ? place(value) : value,
    ]),
  );
}

function defaultVariables(inputs: EnvironmentVariableInputs): Record<string, string> {
  const { paths, runtime } = inputs;
  const { taskRoot, optRoot, runtimeDir } = paths;
  const languageBin = paths.languageDir === null ? [] : [`${paths.languageDir}/bin`];
  const variables: Record<string, string> = {
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    PATH: [...languageBin, '/usr/local/bin', '/usr/bin/', '/bin', `${optRoot}/bin`].join(':'),
    LD_LIBRARY_PATH: [
      `${paths.languageDir ?? '/var/lang'}/lib`,
      '/lib64',
      '/usr/lib64',
      runtimeDir,
      `${runtimeDir}/lib`,
      taskRoot,
      `${taskRoot}/lib`,
      `${optRoot}/lib`,
    ].join(':'),
    AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
    AWS_XRAY_DAEMON_ADDRESS: '169.254.79.129:2000',
    _AWS_XRAY_DAEMON_ADDRESS: '169.254.79.129',
    _AWS_XRAY_DAEMON_PORT: '2000',
  };
  if (runtime.language === 'nodejs') variables['NODE_PATH'] = nodePath(inputs);
  if (runtime.language === 'python') variables['PYTHONPATH'] = runtimeDir;
  return variables;
}

function nodePath({ version, paths }: EnvironmentVariableInputs): string {
  const major = /^nodejs(\d+)/.exec(version.runtime)?.[1] ?? '';
  return [
    `${paths.optRoot}/nodejs/node${major}/node_modules`,
    `${paths.optRoot}/nodejs/node_modules`,
    `${paths.runtimeDir}/node_modules`,
  ].join(':');
}

function reservedVariables(inputs: EnvironmentVariableInputs): Record<string, string> {
  const { version, runtime, paths, credentials } = inputs;
  const variables: Record<string, string> = {
    _HANDLER: version.handler,
    AWS_REGION: inputs.region,
    AWS_DEFAULT_REGION: inputs.region,
    AWS_LAMBDA_FUNCTION_NAME: version.functionName,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(version.memoryMb),
    AWS_LAMBDA_FUNCTION_VERSION: version.version,
    AWS_LAMBDA_INITIALIZATION_TYPE: inputs.initializationType,
    AWS_LAMBDA_LOG_GROUP_NAME: version.logGroup,
    AWS_LAMBDA_LOG_STREAM_NAME: inputs.logStream,
    AWS_LAMBDA_LOG_FORMAT: version.logFormat,
    AWS_ACCESS_KEY: credentials.accessKeyId,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    AWS_LAMBDA_RUNTIME_API: inputs.runtimeApiAddress,
    LAMBDA_TASK_ROOT: paths.taskRoot,
    LAMBDA_RUNTIME_DIR: paths.runtimeDir,
  };
  if (version.snapStart) {
    // Guide page 001: not there, because a snapshot outlives any log stream.
    delete variables['AWS_LAMBDA_LOG_GROUP_NAME'];
    delete variables['AWS_LAMBDA_LOG_STREAM_NAME'];
  }
  if (version.applicationLogLevel !== undefined) {
    variables['AWS_LAMBDA_LOG_LEVEL'] = version.applicationLogLevel;
  }
  if (runtime.kind === 'managed') variables['AWS_EXECUTION_ENV'] = `AWS_Lambda_${version.runtime}`;
  return variables;
}

/** Specific to the runtime's process (guide page 052). */
const hiddenFromExtensions: ReadonlySet<string> = new Set([
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_XRAY_CONTEXT_MISSING',
  'AWS_XRAY_DAEMON_ADDRESS',
  'LAMBDA_RUNTIME_DIR',
  'LAMBDA_TASK_ROOT',
  '_AWS_XRAY_DAEMON_ADDRESS',
  '_AWS_XRAY_DAEMON_PORT',
  '_HANDLER',
]);

/** The environment of an external extension, given its function's. */
export function extensionVariables(
  variables: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(variables).filter(([name]) => !hiddenFromExtensions.has(name)),
  );
}
