/**
 * One environment's side of the Extensions, Telemetry and Logs APIs: what an extension asks for is passed
 * to the extensions of the Init that is under way or was last, and refused when its time is over.
 */
import type { RunnableVersion } from '../model/runnable-version.ts';
import type { EnvironmentTelemetry } from '../telemetry/environment-telemetry.ts';
import type { TelemetrySubscription } from '../telemetry/telemetry-subscription.ts';
import type {
  DeliverExtensionEvent,
  ExtensionAnswer,
  ExtensionError,
  ExtensionEventType,
  ExtensionPort,
  ExtensionRefusal,
  RegisterAnswer,
} from './extension-port.ts';
import type { Extensions } from './extensions.ts';

export interface ExtensionCallsOptions {
  readonly version: RunnableVersion;
  readonly telemetry: EnvironmentTelemetry;
  readonly extensions: () => Extensions;
  /** Init is under way: only then is there registering and subscribing. */
  readonly isInitializing: () => boolean;
}

export class ExtensionCalls implements ExtensionPort {
  readonly #options: ExtensionCallsOptions;

  constructor(options: ExtensionCallsOptions) {
    this.#options = options;
  }

  get #extensions(): Extensions {
    return this.#options.extensions();
  }

  register(name: string, events: readonly ExtensionEventType[]): RegisterAnswer {
    const { isInitializing, version } = this.#options;
    if (!isInitializing()) {
      return refuse('Extension.RegistrationClosed', 'Extension registration closed already');
    }
    const registered = this.#extensions.register(name, events);
    if (typeof registered !== 'string') return registered;
    const { functionName, version: functionVersion, handler, functionArn } = version;
    const accountId = functionArn.split(':')[4] ?? '';
    const identity = { functionName, functionVersion, handler, accountId };
    return { status: 'registered', extensionId: registered, ...identity };
  }

  nextEvent(extensionId: string, deliver: DeliverExtensionEvent): ExtensionAnswer {
    return this.#extensions.nextEvent(extensionId, deliver);
  }

  extensionInitError(extensionId: string, error: ExtensionError): ExtensionAnswer {
    return this.#extensions.initError(extensionId, error);
  }

  extensionExitError(extensionId: string, error: ExtensionError): ExtensionAnswer {
    return this.#extensions.exitError(extensionId, error);
  }

  expectsSubscription(extensionId: string, api: TelemetrySubscription['api']): ExtensionAnswer {
    const subscriber = this.#subscriber(extensionId, api);
    return typeof subscriber === 'string' ? { status: 'accepted' } : subscriber;
  }

  subscribe(extensionId: string, subscription: TelemetrySubscription): ExtensionAnswer {
    const subscriber = this.#subscriber(extensionId, subscription.api);
    if (typeof subscriber !== 'string') return subscriber;
    this.#options.telemetry.subscribe(subscriber, subscription);
    return { status: 'accepted' };
  }

  /** Its name: during Init, and unless it has subscribed by the other API. */
  #subscriber(extensionId: string, api: TelemetrySubscription['api']): string | ExtensionRefusal {
    const { isInitializing, telemetry } = this.#options;
    const name = this.#extensions.subscriberName(extensionId);
    if (typeof name !== 'string') return name;
    const title = api === 'logs' ? 'Logs' : 'Telemetry';
    if (!isInitializing()) {
      return refuse(`${title}.SubscriptionClosed`, `${title} API subscription is closed already`);
    }
    const subscribed = telemetry.subscribedApi(name) ?? api;
    return subscribed === api
      ? name
      : refuse(`${title}.NotSupported`, `${name} has subscribed by the ${subscribed} API already`);
  }
}

function refuse(errorType: string, errorMessage: string): ExtensionRefusal {
  return { status: 'refused', httpStatus: 403, errorType, errorMessage };
}
