/**
 * The seam between a runtime and its execution environment: what a runtime may say, whichever way it
 * says it (HTTP Runtime API or the private channel), and the two ways. `worker/` owns the states
 * behind it; `runtime-api/` implements the transports, wired in by main.ts.
 */
import type { Server } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ExtensionPort } from './extension-port.ts';

/** One attempt to run the handler with one event. */
export interface Invocation {
  readonly requestId: string;
  /** JSON text. */
  readonly payload: Buffer;
  /** Wall clock, Unix milliseconds. */
  readonly deadlineMs: number;
  /** As the caller named it: with the qualifier that was used. */
  readonly invokedFunctionArn: string;
  readonly traceId: string;
  readonly clientContext: string | undefined;
  readonly cognitoIdentity: string | undefined;
  /** With tenant isolation: the one that the caller named. */
  readonly tenantId: string | undefined;
}

export interface RuntimeResponse {
  readonly contentType: string | undefined;
  /** In arrival order; one element when it came whole. */
  readonly body: AsyncIterable<Buffer> | Buffer;
}

/** An error that the runtime reports, with the document that the caller gets. */
export interface RuntimeError {
  readonly errorType: string;
  readonly payload: Buffer;
}

export type PortAnswer =
  | { readonly status: 'accepted' }
  /** No such invocation is in flight here. */
  | { readonly status: 'invalidRequestId' }
  /** Not allowed now; `from` and `to` name the states for the error message. */
  | { readonly status: 'invalidTransition'; readonly from: string; readonly to: string }
  /** The response is longer than a synchronous invoke may return. */
  | { readonly status: 'tooLarge'; readonly maxBytes: number };

export interface RuntimePort {
  /**
   * The runtime is ready for an event: ends Init the first time, and the invocation before it later.
   * `deliver` is called once, when an event comes. Answers 'accepted' or 'invalidTransition'.
   */
  next(deliver: (invocation: Invocation) => void): PortAnswer;
  /** Whether a response for this request id would be taken now, before its body is read. */
  expectsResponse(requestId: string): PortAnswer;
  respond(requestId: string, response: RuntimeResponse): PortAnswer;
  fail(requestId: string, error: RuntimeError): PortAnswer;
  initError(error: RuntimeError): PortAnswer;
  /**
   * SnapStart: the function is initialised, and its state may be copied from here on. `restore` is
   * called once in the environment that goes on, which then runs its hooks and says `next`.
   */
  restoreNext(restore: (restored: RuntimeRestore) => void): PortAnswer;
  /** A hook of the restored environment failed. */
  restoreError(error: RuntimeError): PortAnswer;
}

/** What RESTORE tells a managed runtime: how its new environment differs from the initialised one. */
export interface RuntimeRestore {
  /** Variables that have another value. */
  readonly env: Readonly<Record<string, string>>;
  readonly optRoot: string;
}

/** What INIT tells a managed runtime. */
export interface RuntimeInit {
  readonly handler: string;
  readonly taskRoot: string;
  /** Where layers are: /opt, or the driver's own folder where it cannot mount. */
  readonly optRoot: string;
  /** Null for a process that was started with it. */
  readonly env: Readonly<Record<string, string>> | null;
  readonly initializationType: string;
}

/** The host's end of the private channel (docs/internals/runtime-channel.md). */
export interface RuntimeChannel {
  /** Resolves when the runtime process has booted; rejects when the channel closed before. */
  readonly booted: Promise<void>;
  /** Resolves once nothing can be said any more, whoever closed it. */
  readonly closed: Promise<void>;
  attach(port: RuntimePort): void;
  sendInit(init: RuntimeInit): void;
  sendRestore(restore: RuntimeRestore): void;
  /** The frame that asks a runtime at its snapshot point for a copy of its process. */
  readonly forkRequest: Buffer;
  close(): void;
}

/** One environment's HTTP Runtime API; `server` is not yet listening. */
export interface RuntimeHttpApi {
  readonly server: Server;
  /** @param extensions null while no extension can exist: their calls are refused */
  attach(port: RuntimePort, extensions: ExtensionPort | null): void;
  close(): void;
}

export interface RuntimeTransports {
  openChannel(stream: Duplex): RuntimeChannel;
  createHttpApi(): RuntimeHttpApi;
}
