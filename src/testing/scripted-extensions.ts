/** The extensions' side of an environment that says what a test tells it to and remembers what it was asked. */
import type {
  DeliverExtensionEvent,
  ExtensionAnswer,
  ExtensionPort,
  ExtensionRefusal,
  RegisterAnswer,
} from '../worker/extension-port.ts';
import type { PortAnswer, RuntimePort } from '../worker/runtime-port.ts';

const accepted: ExtensionAnswer = { status: 'accepted' };

export class ScriptedExtensions implements ExtensionPort {
  /** Every call's name and arguments, buffers as text. */
  readonly calls: unknown[][] = [];
  /** The waiting "next" calls, in their order. */
  readonly waiting: DeliverExtensionEvent[] = [];
  /** Answers every call until it is null again. */
  refusal: ExtensionRefusal | null = null;

  register(...args: Parameters<ExtensionPort['register']>): RegisterAnswer {
    this.calls.push(['register', ...args]);
    return (
      this.refusal ?? {
        status: 'registered',
        extensionId: '0d9f3cf8-6a1e-4a0b-9d35-0f7d1f6d2c11',
        functionName: 'f',
        functionVersion: '$LATEST',
        handler: 'index.handler',
        accountId: '000000000000',
      }
    );
  }

  nextEvent(extensionId: string, deliver: DeliverExtensionEvent): ExtensionAnswer {
    if (this.refusal === null) this.waiting.push(deliver);
    return this.#answer('nextEvent', extensionId);
  }

  extensionInitError(
    ...[id, error]: Parameters<ExtensionPort['extensionInitError']>
  ): ExtensionAnswer {
    return this.#answer('initError', id, error.errorType, error.payload.toString());
  }

  extensionExitError(
    ...[id, error]: Parameters<ExtensionPort['extensionExitError']>
  ): ExtensionAnswer {
    return this.#answer('exitError', id, error.errorType, error.payload.toString());
  }

  expectsSubscription(extensionId: string): ExtensionAnswer {
    return this.#answer('expectsSubscription', extensionId);
  }

  subscribe(...args: Parameters<ExtensionPort['subscribe']>): ExtensionAnswer {
    return this.#answer('subscribe', ...args);
  }

  #answer(...call: unknown[]): ExtensionAnswer {
    this.calls.push(call);
    return this.refusal ?? accepted;
  }
}

/** For tests without a runtime: refuses every word of one. */
export const noRuntime: RuntimePort = {
  next: refuseRuntime,
  expectsResponse: refuseRuntime,
  respond: refuseRuntime,
  fail: refuseRuntime,
  initError: refuseRuntime,
  restoreNext: refuseRuntime,
  restoreError: refuseRuntime,
};

function refuseRuntime(): PortAnswer {
  return { status: 'invalidTransition', from: 'Stopped', to: 'Stopped' };
}
