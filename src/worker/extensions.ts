/**
 * The extensions of one environment, from one Init to the next: external ones, each a process beside
 * the runtime, and internal ones, which live in the runtime's process (guide page 052). Keeps who has
 * registered, who waits for its next event, and who has failed.
 *
 *   Started --register--> Registered --next--> Ready --event--> Running --next--> Ready
 *
 * An error that an extension reports, and the end of its process before it was told to end, are
 * failures of the environment.
 */
import { asError } from '../base/as-error.ts';
import { within, type Clock } from '../base/clock.ts';
import { deferred } from '../base/deferred.ts';
import type { Random } from '../base/random.ts';
import { limits } from '../model/limits.ts';
import type { ProcessExit, SandboxProcess } from '../sandbox/sandbox.ts';
import type { PlatformRecords } from '../telemetry/platform-event.ts';
import type {
  DeliverExtensionEvent,
  ExtensionAnswer,
  ExtensionError,
  ExtensionEvent,
  ExtensionEventType,
  ExtensionRefusal,
  ShutdownReason,
} from './extension-port.ts';
import { describeExtensionExit, hostFault, type Fault } from './faults.ts';

export interface ExtensionsHost {
  /** Starts the external extension of that name. Rejects when it cannot be started. */
  start(name: string): Promise<SandboxProcess>;
  /** An extension failed; called at most once, and not once shutting down has begun. */
  onFailure(fault: Fault): void;
  /** An extension waits for its next event: `isReady` and `isSettled` may have changed. */
  onNext(): void;
}

type ExtensionState =
  | 'Started'
  | 'Registered'
  | 'Ready'
  | 'Running'
  | 'LaunchError'
  | 'InitError'
  | 'ExitError'
  | 'Exited';

interface Extension {
  readonly name: string;
  readonly isExternal: boolean;
  state: ExtensionState;
  /** Lambda-Extension-Identifier; null before it has registered. */
  id: string | null;
  events: readonly ExtensionEventType[];
  errorType: string | undefined;
  process: SandboxProcess | null;
  /** What its pending "next" is waiting with. */
  deliver: DeliverExtensionEvent | null;
  /** It has had its SHUTDOWN: no event comes any more. */
  isTold: boolean;
}

const accepted: ExtensionAnswer = { status: 'accepted' };

export class Extensions {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #host: ExtensionsHost;
  readonly #members: Extension[];
  readonly #registered = deferred<boolean>();
  #isRegistrationOpen = true;
  #hasFailed = false;
  /** Set once shutting down has begun: what happens to an extension from then on is no failure. */
  #isEnding = false;
  /** What extensions that were busy when shutting down began get with their "next". */
  #shutdownEvent: ExtensionEvent | null = null;

  /** `names` are those of the external extensions; nothing is started yet. */
  constructor(clock: Clock, random: Random, names: readonly string[], host: ExtensionsHost) {
    this.#clock = clock;
    this.#random = random;
    this.#host = host;
    this.#members = names.map((name) => createExtension(name, true));
  }

  /** There is nobody to tell of anything. */
  get isEmpty(): boolean {
    return this.#members.length === 0;
  }

  /** Every extension has finished its own initialization. */
  get isReady(): boolean {
    return this.#members.every(({ state }) => state === 'Ready');
  }

  /** No extension works on an event. */
  get isSettled(): boolean {
    return this.#members.every(({ state }) => state !== 'Running');
  }

  /** Milliseconds that shutting down may take (guide page 052, shutdown phase). */
  get shutdownMsMax(): number {
    if (this.isEmpty) return 0;
    return this.#hasExternal ? limits.shutdownMsExternal : limits.shutdownMsInternal;
  }

  /** Of these the runtime's own end may take this much (as the runtime interface emulator has it). */
  get runtimeShutdownMsMax(): number {
    const share = this.#hasExternal ? runtimeShutdownShare : 1;
    return Math.floor(this.shutdownMsMax * share);
  }

  get #hasExternal(): boolean {
    return this.#members.some(({ isExternal }) => isExternal);
  }

  /**
   * Starts all external extensions at once. True once every one has registered; false when one has
   * failed, or shutting down has begun.
   */
  async launch(): Promise<boolean> {
    const external = [...this.#members];
    if (external.length === 0) return true;
    const launches = external.map((extension) => this.#launch(extension));
    const isRegistered = await this.#registered.promise;
    // What is being started can be ended only once it is there.
    await Promise.all(launches);
    return isRegistered;
  }

  async #launch(extension: Extension): Promise<void> {
    try {
      const process = await this.#host.start(extension.name);
      extension.process = process;
      process.exited.then(
        (exit) => this.#onExit(extension, exit),
        (error: unknown) => this.#fail(hostFault(error)),
      );
    } catch (error) {
      extension.state = 'LaunchError';
      extension.errorType = 'Extension.LaunchError';
      const message = asError(error).message;
      this.#fail({ type: 'extension', errorType: extension.errorType, message });
    }
  }

  #onExit(extension: Extension, exit: ProcessExit): void {
    extension.deliver = null;
    if (extension.errorType === undefined) extension.state = 'Exited';
    if (exit.outOfMemory) {
      this.#fail({ type: 'outOfMemory' });
      return;
    }
    const errorType = extension.errorType ?? 'Extension.Crash';
    this.#fail({ type: 'extension', errorType, message: describeExtensionExit(exit) });
  }

  #fail(fault: Fault): void {
    if (this.#hasFailed || this.#isEnding) return;
    this.#hasFailed = true;
    this.#registered.resolve(false);
    this.#host.onFailure(fault);
  }

  // ---- what extensions say ----

  /** The id of its registration, or why there is none. */
  register(name: string, events: readonly ExtensionEventType[]): string | ExtensionRefusal {
    const external = this.#members.find((one) => one.isExternal && one.name === name);
    const refusal =
      external === undefined ? this.#internalRefusal(name, events) : externalRefusal(external);
    if (refusal !== undefined) return refusal;
    if (this.#members.filter(({ id }) => id !== null).length >= limits.extensionsMax) {
      return refused('TooManyExtensions', `Extension limit (${limits.extensionsMax}) reached`);
    }
    const extension = external ?? createExtension(name, false);
    if (external === undefined) this.#members.push(extension);
    extension.id = this.#random.uuid();
    extension.events = [...new Set(events)];
    extension.state = 'Registered';
    if (this.#members.every(({ id }) => id !== null)) this.#registered.resolve(true);
    return extension.id;
  }

  #internalRefusal(
    name: string,
    events: readonly ExtensionEventType[],
  ): ExtensionRefusal | undefined {
    if (events.includes('SHUTDOWN')) {
      const reason = 'SHUTDOWN: ShutdownEventNotSupportedForInternalExtension';
      return refused('InvalidEventType', reason);
    }
    if (!this.#isRegistrationOpen) {
      return refused('RegistrationClosed', 'Extension registration closed already');
    }
    return this.#members.some((one) => one.name === name)
      ? refused('InvalidExtensionState', 'Extension with this name already registered')
      : undefined;
  }

  /** The runtime is ready: whoever has not registered by now does not take part. */
  closeRegistration(): void {
    this.#isRegistrationOpen = false;
  }

  nextEvent(extensionId: string, deliver: DeliverExtensionEvent): ExtensionAnswer {
    const extension = this.#find(extensionId);
    if (extension === undefined) return unknownExtension(extensionId);
    const isExpected = ['Registered', 'Ready', 'Running'].includes(extension.state);
    if (!isExpected) return invalidTransition(extension, 'Ready');
    extension.state = 'Ready';
    extension.deliver = deliver;
    if (this.#shutdownEvent === null) this.#host.onNext();
    else this.#tellShutdown(extension, this.#shutdownEvent);
    return accepted;
  }

  initError(extensionId: string, error: ExtensionError): ExtensionAnswer {
    return this.#reportError(extensionId, 'InitError', error);
  }

  exitError(extensionId: string, error: ExtensionError): ExtensionAnswer {
    return this.#reportError(extensionId, 'ExitError', error);
  }

  #reportError(
    extensionId: string,
    state: 'InitError' | 'ExitError',
    error: ExtensionError,
  ): ExtensionAnswer {
    const extension = this.#find(extensionId);
    if (extension === undefined) return unknownExtension(extensionId);
    const isInitOver = extension.state !== 'Registered';
    const isFailed = extension.errorType !== undefined;
    if (isFailed || (state === 'InitError' && isInitOver)) {
      return invalidTransition(extension, state);
    }
    extension.state = state;
    extension.errorType = error.errorType;
    extension.deliver = null;
    const message = `${extension.name} reported ${error.errorType}`;
    this.#fail({ type: 'extension', errorType: error.errorType, message });
    return accepted;
  }

  /** The name of a registered extension that is initializing and may subscribe to telemetry. */
  subscriberName(extensionId: string): string | ExtensionRefusal {
    const extension = this.#find(extensionId);
    if (extension === undefined) return unknownExtension(extensionId);
    return extension.name;
  }

  #find(extensionId: string): Extension | undefined {
    return this.#members.find(({ id }) => id === extensionId);
  }

  // ---- what the platform asks ----

  /**
   * Gives an INVOKE event to every extension that registered for it. All of them are ready, but for one
   * that has failed just now: that is being told.
   */
  invoke(event: ExtensionEvent): void {
    for (const extension of this.#members) {
      if (extension.state !== 'Ready' || !extension.events.includes('INVOKE')) continue;
      this.#tell(extension, event);
    }
  }

  #tell(extension: Extension, event: ExtensionEvent): void {
    const { deliver } = extension;
    extension.state = 'Running';
    extension.deliver = null;
    deliver?.(this.#random.uuid(), event);
  }

  /** From now on nothing that an extension does or suffers is a failure. */
  beginEnding(): void {
    this.#isEnding = true;
    this.#registered.resolve(false);
  }

  /**
   * Gives SHUTDOWN to the external extensions that registered for it, kills the others, and resolves
   * once all have ended, or `msMax` later. Whoever is left is the caller's to kill.
   */
  async shutDown(reason: ShutdownReason, msMax: number): Promise<void> {
    this.beginEnding();
    const deadlineMs = Math.floor(this.#clock.nowMs() + msMax);
    this.#shutdownEvent = { eventType: 'SHUTDOWN', shutdownReason: reason, deadlineMs };
    const running = this.#members.filter(({ process }) => process !== null);
    const ended = Promise.allSettled(running.map(({ process }) => process?.exited));
    for (const extension of running) this.#end(extension, this.#shutdownEvent);
    await within(this.#clock, msMax, ended);
  }

  #end(extension: Extension, event: ExtensionEvent): void {
    if (!extension.events.includes('SHUTDOWN')) extension.process?.signal('SIGKILL');
    else if (extension.deliver !== null) this.#tellShutdown(extension, event);
  }

  #tellShutdown(extension: Extension, event: ExtensionEvent): void {
    if (extension.isTold) return;
    extension.isTold = true;
    this.#tell(extension, event);
  }

  /** What is told of every extension once Init is over, however it went (guide page 052). */
  records(): readonly PlatformRecords['platform.extension'][] {
    return this.#members.map(({ name, state, events, errorType }) => ({
      ...{ name, state, events },
      ...(errorType === undefined ? {} : { errorType }),
    }));
  }
}

/** Of the whole time for shutting down; the rest is the extensions'. */
const runtimeShutdownShare = 0.3;

function createExtension(name: string, isExternal: boolean): Extension {
  const fresh = { id: null, events: [], errorType: undefined, process: null };
  return { name, isExternal, state: 'Started', ...fresh, deliver: null, isTold: false };
}

function externalRefusal(extension: Extension): ExtensionRefusal | undefined {
  return extension.state === 'Started' ? undefined : invalidTransition(extension, 'Registered');
}

function refused(kind: string, errorMessage: string): ExtensionRefusal {
  return { status: 'refused', httpStatus: 403, errorType: `Extension.${kind}`, errorMessage };
}

function unknownExtension(extensionId: string): ExtensionRefusal {
  return refused('UnknownExtensionIdentifier', `Unknown extension ${extensionId}`);
}

function invalidTransition({ name, state }: Extension, to: string): ExtensionRefusal {
  return refused(
    'InvalidExtensionState',
    `State transition from ${state} to ${to} failed for extension ${name}. Error: State transition is not allowed`,
  );
}
