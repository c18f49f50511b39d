/** ListLayers and ListLayerVersions: by name, the newest version first; at most 50 at a time. */
import { invalidParameterValue } from '../../model/errors.ts';
import type {
  LayerVersionsListItem,
  LayersListItem,
  ListLayerVersionsRequest,
  ListLayerVersionsResponse,
  ListLayersRequest,
  ListLayersResponse,
} from '../../model/generated/api-types.ts';
import { layerArn } from '../../model/layer-arn.ts';
import {
  layerCollections,
  layerVersionDocumentId,
  type LayerVersionRecord,
} from '../../model/layer.ts';
import type { ControlContext } from '../control-context.ts';
import { resolveLayerName } from './layer-documents.ts';
import { pageOf, pageSizeOf, parseLayerMarker, renderLayerMarker } from '../list-marker.ts';
import { renderLayerVersionEntry } from './render-layer-version.ts';

/** Sorts behind the ids of all versions. */
const BEHIND_VERSIONS = '~';
/** Versions looked at by one read, in search of those that a filter wants. */
const VERSIONS_PER_READ = 50;

type Filter = Pick<ListLayersRequest, 'CompatibleRuntime' | 'CompatibleArchitecture'>;

/** A filter is for the newest version of each layer: no older one is looked for (radkawar/stackd docs/lambda.md). */
export async function listLayers(
  context: ControlContext,
  input: ListLayersRequest,
): Promise<ListLayersResponse> {
  const pageSize = pageSizeOf(input.MaxItems);
  const found: LayerVersionRecord[] = [];
  let after = parseLayerMarker(input.Marker)?.layerName;
  // One more than wanted tells whether there is a next page.
  while (found.length <= pageSize) {
    const layerName = await nextLayer(context, after);
    if (layerName === undefined) break;
    const newest = await newestMatching(context, layerName, { filter: {}, wanted: 1 });
    found.push(...newest.filter((record) => matches(record, input)));
    after = layerName;
  }
  const { items, next } = pageOf(found, pageSize, renderLayerMarker);
  return { ...next, Layers: items.map((record) => renderLayer(context, record)) };
}

function renderLayer({ settings }: ControlContext, record: LayerVersionRecord): LayersListItem {
  return {
    LayerName: record.layerName,
    LayerArn: layerArn(settings, record.layerName),
    LatestMatchingVersion: renderLayerVersionEntry(settings, record),
  };
}

/** A layer that does not exist has no versions: that is no error. */
export async function listLayerVersions(
  context: ControlContext,
  input: ListLayerVersionsRequest,
): Promise<ListLayerVersionsResponse> {
  const layerName = resolveLayerName(context, input.LayerName, 'lambda:ListLayerVersions');
  const pageSize = pageSizeOf(input.MaxItems);
  const after = parseLayerMarker(input.Marker);
  if (after !== undefined && after.layerName !== layerName) {
    throw invalidParameterValue('The marker is not one that a listing of this layer gave.');
  }
  const found = await newestMatching(context, layerName, {
    filter: input,
    wanted: pageSize + 1,
    afterVersion: after?.version,
  });
  const { items, next } = pageOf(found, pageSize, renderLayerMarker);
  const entries: LayerVersionsListItem[] = items.map((record) =>
    renderLayerVersionEntry(context.settings, record),
  );
  return { ...next, LayerVersions: entries };
}

/** The name of the first layer behind `after`. */
async function nextLayer(
  { store }: ControlContext,
  after: string | undefined,
): Promise<string | undefined> {
  const [document] = await store.list(layerCollections.layerVersion, {
    limit: 1,
    ...(after === undefined ? {} : { after: { partition: after, id: BEHIND_VERSIONS } }),
  });
  return document?.partition;
}

/** The newest versions of a layer that a filter lets through, below `afterVersion`. */
async function newestMatching(
  { store }: ControlContext,
  layerName: string,
  options: {
    readonly filter: Filter;
    readonly wanted: number;
    readonly afterVersion?: number | undefined;
  },
): Promise<LayerVersionRecord[]> {
  const { filter, wanted, afterVersion } = options;
  const found: LayerVersionRecord[] = [];
  let id = afterVersion === undefined ? '' : layerVersionDocumentId(afterVersion);
  while (found.length < wanted) {
    const documents = await store.list<LayerVersionRecord>(layerCollections.layerVersion, {
      partition: layerName,
      after: { partition: layerName, id },
      limit: VERSIONS_PER_READ,
    });
    found.push(...documents.map(({ value }) => value).filter((record) => matches(record, filter)));
    const last = documents.at(-1);
    if (last === undefined || documents.length < VERSIONS_PER_READ) break;
    ({ id } = last);
  }
  return found.slice(0, wanted);
}

/** A version that names no runtime or architecture is not known to be compatible with any. */
function matches(record: LayerVersionRecord, filter: Filter): boolean {
  const { CompatibleRuntime: runtime, CompatibleArchitecture: architecture } = filter;
  return (
    (runtime === undefined || record.compatibleRuntimes?.includes(runtime) === true) &&
    (architecture === undefined || record.compatibleArchitectures?.includes(architecture) === true)
  );
}
