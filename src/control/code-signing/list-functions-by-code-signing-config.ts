/** ListFunctionsByCodeSigningConfig: the functions that have a configuration, by name. */
import { functionArn } from '../../model/arn.ts';
import type {
  ListFunctionsByCodeSigningConfigRequest,
  ListFunctionsByCodeSigningConfigResponse,
} from '../../model/generated/api-types.ts';
import { limits } from '../../model/limits.ts';
import type { ControlContext } from '../control-context.ts';
import { pageOf, parseScopedMarker, renderScopedMarker } from '../list-marker.ts';
import { requireCodeSigningConfig } from './code-signing-documents.ts';

/** Unqualified ARNs: a configuration belongs to the function as a whole. */
export async function listFunctionsByCodeSigningConfig(
  context: ControlContext,
  input: ListFunctionsByCodeSigningConfigRequest,
): Promise<ListFunctionsByCodeSigningConfigResponse> {
  const pageSize = input.MaxItems ?? limits.codeSigningPageItemsMax;
  const { value } = await requireCodeSigningConfig(context, input.CodeSigningConfigArn);
  const { configId } = value;
  const after = parseScopedMarker(input.Marker, configId);
  const found = context.codeSigningUsers.functionsOf(configId, { after, limit: pageSize + 1 });
  const { items, next } = pageOf(found, pageSize, (last) => renderScopedMarker(configId, last));
  return {
    ...next,
    FunctionArns: items.map((functionName) => functionArn(context.settings, functionName)),
  };
}
