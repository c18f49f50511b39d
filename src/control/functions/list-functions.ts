/** ListFunctions: $LATEST of every function by name, or with all versions; at most 50 at a time. */
import { collections, type FunctionRecord } from '../../model/function.ts';
import { invalidParameterValue } from '../../model/errors.ts';
import type {
  FunctionConfiguration,
  ListFunctionsRequest,
  ListFunctionsResponse,
} from '../../model/generated/api-types.ts';
import type { StoredDocument } from '../../store/store.ts';
import type { ControlContext } from '../control-context.ts';
import { LATEST } from './function-documents.ts';
import { listVersionEntries } from './list-versions-by-function.ts';
import { pageOf, pageSizeOf, parseMarker, renderMarker, type Position } from '../list-marker.ts';
import { renderConfiguration, renderListEntry } from './render-configuration.ts';

/** One more than wanted tells whether there is a next page. */
interface Listing {
  readonly after: Position | undefined;
  readonly wanted: number;
}

interface Listed {
  readonly position: Position;
  readonly configuration: FunctionConfiguration;
}

export async function listFunctions(
  context: ControlContext,
  input: ListFunctionsRequest,
): Promise<ListFunctionsResponse> {
  const allVersions = input.FunctionVersion === 'ALL';
  if (input.MasterRegion !== undefined && !allVersions) {
    throw invalidParameterValue('FunctionVersion must be set to ALL when MasterRegion is set.');
  }
  // Replicas at the edge do not exist here: only the entry of all regions has any functions.
  if (input.MasterRegion !== undefined && input.MasterRegion !== 'ALL') return { Functions: [] };
  const pageSize = pageSizeOf(input.MaxItems);
  const listing = { after: parseMarker(input.Marker), wanted: pageSize + 1 };
  const found = allVersions
    ? await listAllVersions(context, listing)
    : await listLatest(context, listing);
  const { items, next } = pageOf(found, pageSize, ({ position }) => renderMarker(position));
  return { ...next, Functions: items.map((entry) => entry.configuration) };
}

async function listLatest(context: ControlContext, listing: Listing): Promise<Listed[]> {
  const documents = await listRecords(context, listing.after?.functionName, listing.wanted);
  return documents.map(({ partition, value }) => ({
    position: { functionName: partition, version: LATEST },
    configuration: renderListEntry(
      renderConfiguration(value.latest.configuration, context.settings),
    ),
  }));
}

/** Every function's $LATEST, then its versions upwards, then the next function. */
async function listAllVersions(
  context: ControlContext,
  { after, wanted }: Listing,
): Promise<Listed[]> {
  const found: Listed[] = [];
  if (after !== undefined) {
    found.push(...(await listVersionEntries(context, after, wanted)));
  }
  for (let previous = after?.functionName; found.length < wanted;) {
    const documents = await listRecords(context, previous, wanted - found.length);
    for (const { partition: functionName, value } of documents) {
      const position = { functionName, version: LATEST };
      const latest = renderConfiguration(value.latest.configuration, context.settings, LATEST);
      found.push({ position, configuration: renderListEntry(latest) });
      if (found.length >= wanted) return found;
      found.push(...(await listVersionEntries(context, position, wanted - found.length)));
      if (found.length >= wanted) return found;
    }
    previous = documents.at(-1)?.partition;
    if (previous === undefined) break;
  }
  return found;
}

async function listRecords(
  { store }: ControlContext,
  after: string | undefined,
  limit: number,
): Promise<StoredDocument<FunctionRecord>[]> {
  return store.list<FunctionRecord>(collections.function, {
    limit,
    ...(after === undefined ? {} : { after: { partition: after, id: '' } }),
  });
}
