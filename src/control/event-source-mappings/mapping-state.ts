/** The state that a mapping shows from a change on, until it is settled. */
import type { MappingState } from '../../model/event-source-mapping.ts';
import type { SourceRules } from './source-rules.ts';

/** `wasEnabled` is undefined for a mapping that is being made. */
export function stateAfterChange(
  { isSettledWhenDisabled = false }: SourceRules,
  wasEnabled: boolean | undefined,
  isEnabled: boolean,
): MappingState {
  const staysDisabled = !isEnabled && wasEnabled !== true;
  if (staysDisabled && isSettledWhenDisabled) return 'Disabled';
  if (wasEnabled === undefined) return 'Creating';
  if (wasEnabled === isEnabled) return 'Updating';
  return isEnabled ? 'Enabling' : 'Disabling';
}
