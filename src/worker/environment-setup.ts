/** What an execution environment is made for, and with what. */
import type { RunnableVersion } from '../model/runnable-version.ts';
import type { SandboxBinding, SandboxPaths } from '../sandbox/sandbox.ts';
import type { InitializationType } from '../telemetry/platform-event.ts';
import type { HeldRuntime } from './held-runtime.ts';
import type { RuntimeInit } from './runtime-port.ts';
import type { RunningRuntime } from './runtime-sandbox.ts';

export interface EnvironmentSetup {
  readonly version: RunnableVersion;
  /** The only tenant it serves, with tenant isolation. */
  readonly tenantId?: string | undefined;
  readonly binding: SandboxBinding;
  /** The complete environment of the runtime's process, once the paths inside are known. */
  readonly variables: (paths: SandboxPaths) => Readonly<Record<string, string>>;
  /** File names of the external extensions. */
  readonly extensions: readonly string[];
  readonly initializationType: InitializationType;
  /** How long the Init before the first invocation may take. */
  readonly initMsMax: number;
  readonly runtimeVersionName: string;
  /**
   * SnapStart: where the runtime comes from, instead of Init, once the sandbox is bound. Rejects with
   * RestoreFailure when that is the function's doing.
   */
  readonly obtainRestored?: (booted: RunningRuntime | null) => Promise<HeldRuntime>;
}

/** What INIT tells the runtime process that was started, or booted in advance, for this environment. */
export function runtimeInit(
  { version, initializationType }: EnvironmentSetup,
  { taskRoot, optRoot }: SandboxPaths,
  { hasEnvironment }: RunningRuntime,
  variables: Readonly<Record<string, string>>,
): RuntimeInit {
  const env = hasEnvironment ? null : variables;
  return { handler: version.handler, taskRoot, optRoot, env, initializationType };
}
