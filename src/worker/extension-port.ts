/**
 * The seam between the extensions of one environment and the environment: what an extension may say
 * (Extensions API 2020-01-01, guide page 052; Telemetry API 2022-07-01 and Logs API 2020-08-15, page
 * 056) and what it hears. `worker/` owns the states behind it; `runtime-api/` has the routes.
 */
import type { TelemetrySubscription } from '../telemetry/telemetry-subscription.ts';

export type ExtensionEventType = 'INVOKE' | 'SHUTDOWN';

export type ShutdownReason = 'SPINDOWN' | 'TIMEOUT' | 'FAILURE';

export type ExtensionEvent =
  | {
      readonly eventType: 'INVOKE';
      /** Wall clock, Unix milliseconds, as for SHUTDOWN. */
      readonly deadlineMs: number;
      readonly requestId: string;
      readonly invokedFunctionArn: string;
      readonly tracing: { readonly type: 'X-Amzn-Trace-Id'; readonly value: string };
    }
  | {
      readonly eventType: 'SHUTDOWN';
      readonly shutdownReason: ShutdownReason;
      readonly deadlineMs: number;
    };

/** `eventId` goes into Lambda-Extension-Event-Identifier. */
export type DeliverExtensionEvent = (eventId: string, event: ExtensionEvent) => void;

/** An error that an extension reports; the document is what it sent, if anything. */
export interface ExtensionError {
  readonly errorType: string;
  readonly payload: Buffer;
}

/** Refused, with the error document's members; every one is answered with the given status. */
export interface ExtensionRefusal {
  readonly status: 'refused';
  readonly httpStatus: 400 | 403 | 500;
  readonly errorType: string;
  readonly errorMessage: string;
}

export type ExtensionAnswer = { readonly status: 'accepted' } | ExtensionRefusal;

export type RegisterAnswer =
  | {
      readonly status: 'registered';
      /** UUID: Lambda-Extension-Identifier. */
      readonly extensionId: string;
      readonly functionName: string;
      readonly functionVersion: string;
      readonly handler: string;
      readonly accountId: string;
    }
  | ExtensionRefusal;

export interface ExtensionPort {
  /** `name` is the file's; internal extensions, which run in the runtime's process, choose theirs. */
  register(name: string, events: readonly ExtensionEventType[]): RegisterAnswer;
  /** The extension is ready for its next event; `deliver` is called once, when one comes. */
  nextEvent(extensionId: string, deliver: DeliverExtensionEvent): ExtensionAnswer;
  extensionInitError(extensionId: string, error: ExtensionError): ExtensionAnswer;
  extensionExitError(extensionId: string, error: ExtensionError): ExtensionAnswer;
  /** Whether this extension may subscribe now: before the body of its request is looked at. */
  expectsSubscription(extensionId: string, api: TelemetrySubscription['api']): ExtensionAnswer;
  subscribe(extensionId: string, subscription: TelemetrySubscription): ExtensionAnswer;
}
