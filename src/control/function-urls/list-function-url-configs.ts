/** ListFunctionUrlConfigs: the URLs of $LATEST and of aliases, at most 50 at a time. */
import { functionUrlTargetNotFound } from '../../model/trigger-errors.ts';
import { functionUrlCollections, type FunctionUrlRecord } from '../../model/function-url.ts';
import type {
  ListFunctionUrlConfigsRequest,
  ListFunctionUrlConfigsResponse,
} from '../../model/generated/api-types.ts';
import type { ControlContext } from '../control-context.ts';
import { resolveUnqualified } from '../functions/function-documents.ts';
import { findQualified, listByQualifier } from '../functions/qualifiers.ts';
import type { ClientView } from '../operation-table.ts';
import { renderFunctionUrl } from './function-url-documents.ts';

/** Throws ResourceNotFound for no such function. */
export async function listFunctionUrlConfigs(
  context: ControlContext,
  input: ListFunctionUrlConfigsRequest,
  client: ClientView,
): Promise<ListFunctionUrlConfigsResponse> {
  const reference = resolveUnqualified(context, input.FunctionName);
  if ((await findQualified(context, reference)) === undefined) throw functionUrlTargetNotFound();
  const { items, next } = await listByQualifier<FunctionUrlRecord>(
    context.store,
    functionUrlCollections.functionUrl,
    { functionName: reference.functionName, marker: input.Marker, maxItems: input.MaxItems },
  );
  return {
    ...next,
    FunctionUrlConfigs: items.map((document) => renderFunctionUrl(context, document, client)),
  };
}
