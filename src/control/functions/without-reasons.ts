/** The members of a configuration that say why it is in its state, and how they go. */
import type { StoredConfiguration } from '../../model/function.ts';
import { omitMembers } from '../omit-members.ts';

/** A configuration that is being settled: what the states before had for reasons holds no longer. */
export function withoutReasons(configuration: StoredConfiguration): StoredConfiguration {
  return omitMembers(configuration, [
    'StateReason',
    'StateReasonCode',
    'LastUpdateStatusReason',
    'LastUpdateStatusReasonCode',
  ]);
}
