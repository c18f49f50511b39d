/** ListVersionsByFunction: $LATEST, then the published versions upwards; at most 50 at a time. */
import {
  collections,
  versionDocumentId,
  type PublishedVersionRecord,
} from '../../model/function.ts';
import { invalidParameterValue } from '../../model/errors.ts';
import type {
  FunctionConfiguration,
  ListVersionsByFunctionRequest,
  ListVersionsByFunctionResponse,
} from '../../model/generated/api-types.ts';
import type { ControlContext } from '../control-context.ts';
import { LATEST, requireFunction, resolveUnqualified } from './function-documents.ts';
import { pageOf, pageSizeOf, parseMarker, renderMarker, type Position } from '../list-marker.ts';
import { renderConfiguration, renderListEntry } from './render-configuration.ts';

export async function listVersionsByFunction(
  context: ControlContext,
  input: ListVersionsByFunctionRequest,
): Promise<ListVersionsByFunctionResponse> {
  const reference = resolveUnqualified(context, input.FunctionName);
  const { functionName } = reference;
  const pageSize = pageSizeOf(input.MaxItems);
  const after = parseMarker(input.Marker);
  if (after !== undefined && after.functionName !== functionName) {
    throw invalidParameterValue('The marker is not one that a listing of this function gave.');
  }
  const { value } = await requireFunction(context, reference);
  const found: VersionEntry[] = [];
  if (after === undefined) {
    const latest = renderConfiguration(value.latest.configuration, context.settings, LATEST);
    found.push({
      position: { functionName, version: LATEST },
      configuration: renderListEntry(latest),
    });
  }
  const from = after ?? { functionName, version: LATEST };
  found.push(...(await listVersionEntries(context, from, pageSize + 1 - found.length)));
  const { items, next } = pageOf(found, pageSize, ({ position }) => renderMarker(position));
  return { ...next, Versions: items.map((entry) => entry.configuration) };
}

export interface VersionEntry {
  readonly position: Position;
  readonly configuration: FunctionConfiguration;
}

/** Published versions of a function after a position, lowest first. */
export async function listVersionEntries(
  { store, settings }: ControlContext,
  { functionName, version }: Position,
  limit: number,
): Promise<VersionEntry[]> {
  const id = version === LATEST ? '' : versionDocumentId(version);
  const documents = await store.list<PublishedVersionRecord>(collections.version, {
    partition: functionName,
    after: { partition: functionName, id },
    limit,
  });
  return documents.map(({ value: { configuration } }) => ({
    position: { functionName, version: configuration.Version },
    configuration: renderListEntry(
      renderConfiguration(configuration, settings, configuration.Version),
    ),
  }));
}
