/** UpdateFunctionEventInvokeConfig: settings that are left out stay, each destination by itself. */
import { eventInvokeTargetNotFound } from '../../model/trigger-errors.ts';
import type { EventInvokeRecord } from '../../model/event-invoke.ts';
import type {
  FunctionEventInvokeConfig,
  UpdateFunctionEventInvokeConfigRequest,
} from '../../model/generated/api-types.ts';
import { commitWithRetry, putDocument } from '../commit.ts';
import type { ControlContext } from '../control-context.ts';
import { findQualified } from '../functions/qualifiers.ts';
import {
  renderEventInvoke,
  requireEventInvoke,
  resolveQualified,
} from './event-invoke-documents.ts';
import { checkDestinations, checkSetsSomething, mergeSettings } from './event-invoke-settings.ts';

/**
 * Throws ResourceNotFound for no such function, version or alias and if it has no configuration,
 * InvalidParameterValue for a request that sets nothing and for what checkDestinations refuses.
 */
export async function updateFunctionEventInvokeConfig(
  context: ControlContext,
  input: UpdateFunctionEventInvokeConfigRequest,
): Promise<FunctionEventInvokeConfig> {
  checkSetsSomething(input);
  const reference = resolveQualified(context, input);
  return commitWithRetry(context.store, async () => {
    if ((await findQualified(context, reference)) === undefined) throw eventInvokeTargetNotFound();
    const document = await requireEventInvoke(context.store, reference);
    await checkDestinations(context, reference.functionName, input.DestinationConfig ?? {});
    const lastModified = new Date(context.clock.nowMs()).toISOString();
    const value: EventInvokeRecord = { ...mergeSettings(document.value, input), lastModified };
    return {
      operations: [putDocument(document, value)],
      result: renderEventInvoke(reference.arn, value),
    };
  });
}
