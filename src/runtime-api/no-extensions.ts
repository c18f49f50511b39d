/** Stands where no extension can exist: before a function is bound, nothing in a sandbox is one. */
import type { ExtensionPort, ExtensionRefusal } from '../worker/extension-port.ts';

function unknown(extensionId: string): ExtensionRefusal {
  return {
    status: 'refused',
    httpStatus: 403,
    errorType: 'Extension.UnknownExtensionIdentifier',
    errorMessage: `Unknown extension ${extensionId}`,
  };
}

export const noExtensions: ExtensionPort = {
  register: () => ({
    status: 'refused',
    httpStatus: 403,
    errorType: 'Extension.RegistrationClosed',
    errorMessage: 'Extension registration closed already',
  }),
  nextEvent: unknown,
  extensionInitError: unknown,
  extensionExitError: unknown,
  expectsSubscription: unknown,
  subscribe: unknown,
};
