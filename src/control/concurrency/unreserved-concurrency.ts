/** Concurrency that stays for functions that have none of their own (guide pages 008, 019). */
import { invalidParameterValue } from '../../model/errors.ts';
import { limits } from '../../model/limits.ts';
import type { ControlContext } from '../control-context.ts';

/**
 * Throws InvalidParameterValue if a function that claims `total` leaves less than the minimum to
 * functions without a claim. One that claims no more than before passes. `member` is how the
 * refusal names what is asked for.
 */
export function checkUnreserved(
  { claims, settings }: ControlContext,
  functionName: string,
  wanted: {
    readonly total: number;
    readonly member: 'ReservedConcurrentExecutions' | 'ConcurrentExecutions';
  },
): void {
  const { total, member } = wanted;
  const present = claims.of(functionName);
  const unreserved = settings.concurrentExecutions - (claims.total - present) - total;
  // Accounts smaller than the minimum have theirs named (matano #31, aws-samples/siem #175, sst #5829).
  const min = Math.min(limits.concurrencyUnreservedMin, settings.concurrentExecutions);
  if (unreserved >= min || total <= present) return;
  throw invalidParameterValue(
    `Specified ${member} for function decreases account's UnreservedConcurrentExecution below its minimum value of [${min}].`,
  );
}
