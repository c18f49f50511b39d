/** ListFunctionsByCodeSigningConfig: the functions that have a configuration, by name. */
import { functionArn } from '../../model/arn.ts';
import type {
  ListFunctionsByCodeSigningConfigRequest,
  ListFunctionsByCodeSigningConfigResponse,
} from '../../model/generated/api-types.ts';
import { limits } from '../../model/limits.ts';
import type { ControlContext } from '../control-context.ts';
import { parseScopedMarker, renderScopedMarker } from '../list-marker.ts';
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
  // One more than wanted tells whether there is a next page.
  const found = context.codeSigningUsers.functionsOf(configId, { after, limit: pageSize + 1 });
  const page = found.slice(0, pageSize);
  const last = page.at(-1);
  const hasMore = found.length > pageSize && last !== undefined;
  return {
    ...(hasMore ? { NextMarker: renderScopedMarker(configId, last) } : {}),
    FunctionArns: page.map((functionName) => functionArn(context.settings, functionName)),
  };
}
