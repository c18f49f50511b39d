/** ListFunctionEventInvokeConfigs: of $LATEST, versions and aliases, at most 50 at a time. */
import { functionArn } from '../../model/arn.ts';
import { eventInvokeTargetNotFound } from '../../model/trigger-errors.ts';
import { eventInvokeCollections, type EventInvokeRecord } from '../../model/event-invoke.ts';
import type {
  ListFunctionEventInvokeConfigsRequest,
  ListFunctionEventInvokeConfigsResponse,
} from '../../model/generated/api-types.ts';
import type { ControlContext } from '../control-context.ts';
import { resolveUnqualified } from '../functions/function-documents.ts';
import { findQualified, listByQualifier } from '../functions/qualifiers.ts';
import { renderEventInvoke } from './event-invoke-documents.ts';

/** Throws ResourceNotFound for no such function. */
export async function listFunctionEventInvokeConfigs(
  context: ControlContext,
  input: ListFunctionEventInvokeConfigsRequest,
): Promise<ListFunctionEventInvokeConfigsResponse> {
  const reference = resolveUnqualified(context, input.FunctionName);
  if ((await findQualified(context, reference)) === undefined) throw eventInvokeTargetNotFound();
  const { functionName } = reference;
  const { items, next } = await listByQualifier<EventInvokeRecord>(
    context.store,
    eventInvokeCollections.eventInvoke,
    { functionName, marker: input.Marker, maxItems: input.MaxItems },
  );
  return {
    ...next,
    FunctionEventInvokeConfigs: items.map(({ id, value }) =>
      renderEventInvoke(functionArn(context.settings, functionName, id), value),
    ),
  };
}
