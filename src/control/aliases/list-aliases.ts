/**
 * ListAliases: by name, more than other listings have on a page; with a FunctionVersion only those that
 * point to it, whatever their weights add (radkawar/stackd docs/lambda.md).
 */
import type {
  AliasConfiguration,
  ListAliasesRequest,
  ListAliasesResponse,
} from '../../model/generated/api-types.ts';
import { aliasesOf } from './alias-documents.ts';
import type { ControlContext } from '../control-context.ts';
import { requireFunction, resolveUnqualified } from '../functions/function-documents.ts';
import {
  ALIAS_PAGE_ITEMS_MAX,
  pageSizeOf,
  parseQualifierMarker,
  renderQualifierMarker,
} from '../list-marker.ts';

export async function listAliases(
  context: ControlContext,
  input: ListAliasesRequest,
): Promise<ListAliasesResponse> {
  const reference = resolveUnqualified(context, input.FunctionName);
  const { functionName } = reference;
  const pageSize = pageSizeOf(input.MaxItems, ALIAS_PAGE_ITEMS_MAX);
  const after = parseQualifierMarker(input.Marker, functionName);
  await requireFunction(context, reference);
  const { FunctionVersion: version } = input;
  const page: AliasConfiguration[] = [];
  for await (const alias of aliasesOf(context.store, functionName, after)) {
    if (version !== undefined && alias.FunctionVersion !== version) continue;
    const last = page.at(-1)?.Name;
    if (page.length === pageSize && last !== undefined) {
      return { NextMarker: renderQualifierMarker(functionName, last), Aliases: page };
    }
    page.push(alias);
  }
  return { Aliases: page };
}
