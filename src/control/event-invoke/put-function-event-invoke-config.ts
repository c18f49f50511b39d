/** PutFunctionEventInvokeConfig: replaces what there is; settings that are left out are removed. */
import { eventInvokeTargetNotFound } from '../../model/trigger-errors.ts';
import type { EventInvokeRecord } from '../../model/event-invoke.ts';
import type {
  FunctionEventInvokeConfig,
  PutFunctionEventInvokeConfigRequest,
} from '../../model/generated/api-types.ts';
import { commitWithRetry, putDocument, writeDocument } from '../commit.ts';
import type { ControlContext } from '../control-context.ts';
import { findQualified } from '../functions/qualifiers.ts';
import {
  eventInvokeKey,
  readEventInvoke,
  renderEventInvoke,
  resolveQualified,
} from './event-invoke-documents.ts';
import { checkDestinations, checkSetsSomething, mergeSettings } from './event-invoke-settings.ts';

/**
 * Throws ResourceNotFound for no such function, version or alias, InvalidParameterValue for a request
 * that sets nothing and for what checkDestinations refuses.
 */
export async function putFunctionEventInvokeConfig(
  context: ControlContext,
  input: PutFunctionEventInvokeConfigRequest,
): Promise<FunctionEventInvokeConfig> {
  checkSetsSomething(input);
  const reference = resolveQualified(context, input);
  return commitWithRetry(context.store, async () => {
    const present = await findQualified(context, reference);
    if (present === undefined) throw eventInvokeTargetNotFound();
    await checkDestinations(context, reference.functionName, input.DestinationConfig ?? {});
    const previous = await readEventInvoke(context.store, reference);
    const lastModified = new Date(context.clock.nowMs()).toISOString();
    const value: EventInvokeRecord = { ...mergeSettings({}, input), lastModified };
    return {
      operations: [
        putDocument(present, present.value),
        writeDocument(eventInvokeKey(reference), previous, value),
      ],
      result: renderEventInvoke(reference.arn, value),
    };
  });
}
