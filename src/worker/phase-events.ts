/** The platform events of Init and Restore, as environments and SnapStart templates tell them. */
import type {
  InitPhase,
  PhaseStatus,
  PlatformEvent,
  PlatformRecords,
} from '../telemetry/platform-event.ts';
import type { EnvironmentSetup } from './environment-setup.ts';
import { faultErrorType, type Fault } from './faults.ts';

/** What an Init or a Restore came to. */
export type PhaseOutcome =
  | { readonly type: 'ready' }
  | { readonly type: 'timeout' }
  | { readonly type: 'failed'; readonly fault: Fault };

type RestoreStartRecord = PlatformRecords['platform.restoreStart'];

/** `instanceId` is the sandbox's. */
export function restoreStartEvent(setup: EnvironmentSetup, instanceId: string): PlatformEvent {
  return { type: 'platform.restoreStart', record: startRecord(setup, instanceId) };
}

function startRecord(setup: EnvironmentSetup, instanceId: string): RestoreStartRecord {
  const { initializationType, runtimeVersionName, version } = setup;
  return {
    initializationType,
    runtimeVersion: runtimeVersionName,
    runtimeVersionArn: version.runtimeVersionArn,
    functionName: version.functionName,
    functionVersion: version.version,
    instanceId,
    instanceMaxMemory: version.memoryMb,
  };
}

export function initStartEvent(
  setup: EnvironmentSetup,
  instanceId: string,
  phase: InitPhase,
): PlatformEvent {
  return { type: 'platform.initStart', record: { ...startRecord(setup, instanceId), phase } };
}

/** `extensions` as they are at its end; `hasStartedRuntime` unless they kept it from starting. */
export function initEndEvents(
  { initializationType }: EnvironmentSetup,
  end: { readonly phase: InitPhase; readonly outcome: PhaseOutcome; readonly durationMs: number },
  environment: {
    readonly extensions: readonly PlatformRecords['platform.extension'][];
    readonly hasStartedRuntime: boolean;
  },
): PlatformEvent[] {
  const { phase, outcome, durationMs } = end;
  const record = { initializationType, phase, ...phaseStatus(outcome) };
  const { extensions, hasStartedRuntime } = environment;
  return [
    ...(hasStartedRuntime ? [{ type: 'platform.initRuntimeDone', record } as const] : []),
    ...extensions.map((extension) => ({ type: 'platform.extension', record: extension }) as const),
    { type: 'platform.initReport', record: { ...record, metrics: { durationMs } } },
  ];
}

function phaseStatus(outcome: PhaseOutcome): { status: PhaseStatus; errorType?: string } {
  switch (outcome.type) {
    case 'ready':
      return { status: 'success' };
    case 'timeout':
      return { status: 'timeout' };
    case 'failed':
      return { status: 'error', errorType: faultErrorType(outcome.fault) };
  }
}

/** Guide page 045 shows this type for a hook that failed, whatever it raised. */
const hookErrorType = 'Runtime.ExitError';

export function restoreEndEvents(outcome: PhaseOutcome, durationMs: number): PlatformEvent[] {
  const isHook = outcome.type === 'failed' && outcome.fault.type === 'initError';
  const record = { ...phaseStatus(outcome), ...(isHook ? { errorType: hookErrorType } : {}) };
  return [
    { type: 'platform.restoreRuntimeDone', record },
    { type: 'platform.restoreReport', record: { ...record, metrics: { durationMs } } },
  ];
}
