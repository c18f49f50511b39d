/** UpdateFunctionUrlConfig: what is left out stays; CORS settings are replaced as a whole. */
import { functionUrlTargetNotFound } from '../../model/trigger-errors.ts';
import type { FunctionUrlRecord } from '../../model/function-url.ts';
import type {
  UpdateFunctionUrlConfigRequest,
  UpdateFunctionUrlConfigResponse,
} from '../../model/generated/api-types.ts';
import { commitWithRetry, putDocument } from '../commit.ts';
import type { ControlContext } from '../control-context.ts';
import { resolveReference } from '../functions/function-documents.ts';
import { findQualified } from '../functions/qualifiers.ts';
import { omitMembers } from '../omit-members.ts';
import type { ClientView } from '../operation-table.ts';
import { checkCors } from './cors-rules.ts';
import { renderFunctionUrl, requireFunctionUrl, withAskedMode } from './function-url-documents.ts';

/**
 * Throws InvalidParameterValue for CORS settings that checkCors refuses, ResourceNotFound for no such
 * function, alias or URL. `Cors` without members takes them away.
 */
export async function updateFunctionUrlConfig(
  context: ControlContext,
  input: UpdateFunctionUrlConfigRequest,
  client: ClientView,
): Promise<UpdateFunctionUrlConfigResponse> {
  const reference = resolveReference(context, input.FunctionName, input.Qualifier);
  const { AuthType, Cors, InvokeMode } = input;
  const newCors = Cors === undefined ? undefined : checkCors(Cors);
  return commitWithRetry(context.store, async () => {
    if ((await findQualified(context, reference)) === undefined) throw functionUrlTargetNotFound();
    const document = await requireFunctionUrl(context.store, reference);
    const { value: previous } = document;
    const cors = Cors === undefined ? previous.cors : newCors;
    const value: FunctionUrlRecord = {
      ...omitMembers(previous, ['cors']),
      authType: AuthType ?? previous.authType,
      invokeMode: InvokeMode ?? previous.invokeMode,
      ...(cors === undefined ? {} : { cors }),
      lastModified: new Date(context.clock.nowMs()).toISOString(),
    };
    return {
      operations: [putDocument(document, value)],
      result: withAskedMode(renderFunctionUrl(context, { ...document, value }, client), input),
    };
  });
}
