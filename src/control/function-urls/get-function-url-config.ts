/** GetFunctionUrlConfig: the URL of $LATEST or of an alias. */
import type {
  GetFunctionUrlConfigRequest,
  GetFunctionUrlConfigResponse,
} from '../../model/generated/api-types.ts';
import type { ControlContext } from '../control-context.ts';
import { resolveReference } from '../functions/function-documents.ts';
import type { ClientView } from '../operation-table.ts';
import { renderFunctionUrl, requireFunctionUrl } from './function-url-documents.ts';

/** Throws ResourceNotFound if there is no such URL, alias or function. */
export async function getFunctionUrlConfig(
  context: ControlContext,
  input: GetFunctionUrlConfigRequest,
  client: ClientView,
): Promise<GetFunctionUrlConfigResponse> {
  const reference = resolveReference(context, input.FunctionName, input.Qualifier);
  const document = await requireFunctionUrl(context.store, reference);
  return renderFunctionUrl(context, document, client);
}
