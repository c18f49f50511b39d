/** What a function's runtime update mode rules out. */
import { invalidParameterValue } from '../../model/errors.ts';
import type { StoredConfiguration, VersionRecord } from '../../model/function.ts';

/**
 * Throws InvalidParameterValue for another runtime or architecture while $LATEST is in the Manual mode:
 * the documentation on rolling back a runtime version rules it out; the words are our own.
 */
export function checkRuntimePinned(
  { configuration, runtimeManagement }: VersionRecord,
  changed: StoredConfiguration,
): void {
  if (runtimeManagement?.updateRuntimeOn !== 'Manual') return;
  const isSame =
    configuration.Runtime === changed.Runtime &&
    configuration.Architectures?.join() === changed.Architectures?.join();
  if (isSame) return;
  throw invalidParameterValue(
    'The runtime and the architecture of a function cannot be changed while its $LATEST version ' +
      'uses the Manual runtime update mode. Change the mode to Auto or FunctionUpdate first.',
  );
}
