/** ListAliases: by name, at most 50 at a time; with a FunctionVersion only those that invoke it. */
import type {
  AliasConfiguration,
  ListAliasesRequest,
  ListAliasesResponse,
} from '../../model/generated/api-types.ts';
import { aliasesOf, versionsOf } from './alias-documents.ts';
import type { ControlContext } from '../control-context.ts';
import { requireFunction, resolveUnqualified } from '../functions/function-documents.ts';
import { pageSizeOf, parseQualifierMarker, renderQualifierMarker } from '../list-marker.ts';

export async function listAliases(
  context: ControlContext,
  input: ListAliasesRequest,
): Promise<ListAliasesResponse> {
  const reference = resolveUnqualified(context, input.FunctionName);
  const { functionName } = reference;
  const pageSize = pageSizeOf(input.MaxItems);
  const after = parseQualifierMarker(input.Marker, functionName);
  await requireFunction(context, reference);
  const { FunctionVersion: version } = input;
  const page: AliasConfiguration[] = [];
  for await (const alias of aliasesOf(context.store, functionName, after)) {
    if (version !== undefined && !versionsOf(alias).includes(version)) continue;
    const last = page.at(-1)?.Name;
    if (page.length === pageSize && last !== undefined) {
      return { NextMarker: renderQualifierMarker(functionName, last), Aliases: page };
    }
    page.push(alias);
  }
  return { Aliases: page };
}
