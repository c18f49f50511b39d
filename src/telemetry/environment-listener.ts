/** Who hears what happens to the environments of a host, whatever their logs and subscribers get. */
import type { InitializationType, PlatformEvent } from './platform-event.ts';

/** What an environment's sandbox was made from. */
export type ColdStartKind =
  /** Its runtime had booted in advance. */
  | 'pool_hit'
  /** Its box was started in advance, without a runtime. */
  | 'blank_box'
  /** It takes in a copy of the process that waits at the version's snapshot point. */
  | 'snapshot'
  | 'new_box';

export interface ColdStart {
  readonly runtime: string;
  readonly initializationType: InitializationType;
  readonly kind: ColdStartKind;
  /** A sandbox booted in advance would have done, but there was none. */
  readonly isPoolMiss: boolean;
}

/** A version of a function: '$LATEST' or a number. */
export interface FunctionVersion {
  readonly functionName: string;
  readonly version: string;
}

export interface EnvironmentListener {
  /** An environment has its sandbox; Init follows. */
  onColdStart(start: ColdStart): void;
  /** The platform tells something about an environment of this version; called before anyone else hears. */
  onPlatformEvent(version: FunctionVersion, event: PlatformEvent): void;
}
