/** Workers, environments and invocations on a scripted host, for tests that name only what matters to them. */
import type { Clock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import { limits } from '../model/limits.ts';
import { EnvironmentTelemetry } from '../telemetry/environment-telemetry.ts';
import { LogStream } from '../telemetry/log-stream.ts';
import type { EnvironmentSetup } from '../worker/environment-setup.ts';
import { ExecutionEnvironment } from '../worker/environment.ts';
import type { Invocation } from '../worker/runtime-port.ts';
import type { RuntimeSandbox } from '../worker/runtime-sandbox.ts';
import type { WorkerOptions } from '../worker/worker.ts';
import { runnable } from './runnable.ts';

/** Room for a few environments, none of which ends or waits by itself while a test looks on. */
export function workerOptions(members: Partial<WorkerOptions> = {}): WorkerOptions {
  return {
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b', sessionToken: 'c' },
    memoryBudgetMb: 1024,
    environmentsMax: 4,
    waitersMax: 10,
    waitMsMax: 30_000,
    idleMsMax: 600_000,
    lifetimeMsMax: 86_400_000,
    freezeAfterMs: 10,
    poolSize: 0,
    openCode: () =>
      Promise.resolve({ folder: '/code', hasSharedLibraries: false, release: () => undefined }),
    logSink: () => undefined,
    ...members,
  };
}

/** An environment on demand in this sandbox, not started; `onLog` gets its text log. */
export function createEnvironment(
  clock: Clock,
  runtimeSandbox: RuntimeSandbox,
  onLog: (text: string) => void,
  members: Partial<EnvironmentSetup> = {},
): ExecutionEnvironment {
  const name = { logGroup: 'group', logStream: 'stream' };
  const sink = (_name: unknown, bytes: Buffer): void => onLog(bytes.toString());
  const logStream = new LogStream(name, sink, {
    bytesMax: limits.logTailBytesMax,
    isOfRecords: false,
  });
  return new ExecutionEnvironment(clock, systemRandom, silentLog, runtimeSandbox, {
    telemetry: new EnvironmentTelemetry(clock, silentLog, logStream, {
      ...{ logFormat: 'Text', systemLogLevel: 'INFO' },
      connect: (port) => runtimeSandbox.sandbox.connect(port),
    }),
    setup: {
      version: runnable(),
      binding: { codeDir: '/', layerDirs: [], limits: runtimeSandbox.limits },
      variables: () => ({ COLOUR: 'green' }),
      extensions: [],
      initializationType: 'on-demand',
      initMsMax: limits.initDurationMsMax,
      runtimeVersionName: 'nodejs:24.v24.0.0',
      ...members,
    },
  });
}

export function createInvocation(members: Partial<Invocation> = {}): Invocation {
  return {
    requestId: 'request-1',
    payload: Buffer.from('{}'),
    deadlineMs: 0,
    invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:one',
    traceId: 'Root=1',
    clientContext: undefined,
    cognitoIdentity: undefined,
    tenantId: undefined,
    ...members,
  };
}
