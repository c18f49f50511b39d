/** ListEventSourceMappings: by UUID, at most 100 at a time; of one source, of one function, or all. */
import type { EventSourceMappingRecord } from '../../model/event-source-mapping.ts';
import type {
  EventSourceMappingConfiguration,
  ListEventSourceMappingsRequest,
  ListEventSourceMappingsResponse,
} from '../../model/generated/api-types.ts';
import type { ControlContext } from '../control-context.ts';
import { resolveReference } from '../functions/function-documents.ts';
import {
  MAPPING_PAGE_ITEMS_MAX,
  pageSizeOf,
  parseMappingMarker,
  renderMappingMarker,
} from '../list-marker.ts';
import { mappingsAfter } from './mapping-documents.ts';
import { renderListed } from './render-mapping.ts';

/** A function, or a version or alias of it, that no mapping names has none: it need not be there. */
export async function listEventSourceMappings(
  context: ControlContext,
  input: ListEventSourceMappingsRequest,
): Promise<ListEventSourceMappingsResponse> {
  const isWanted = filterOf(context, input);
  const pageSize = pageSizeOf(input.MaxItems, MAPPING_PAGE_ITEMS_MAX);
  const page: EventSourceMappingConfiguration[] = [];
  for await (const record of mappingsAfter(context.store, parseMappingMarker(input.Marker))) {
    if (!isWanted(record)) continue;
    const last = page.at(-1)?.UUID;
    if (page.length === pageSize && last !== undefined) {
      return { NextMarker: renderMappingMarker(last), EventSourceMappings: page };
    }
    page.push(renderListed(record.configuration));
  }
  return { EventSourceMappings: page };
}

function filterOf(
  context: ControlContext,
  { EventSourceArn, FunctionName }: ListEventSourceMappingsRequest,
): (record: EventSourceMappingRecord) => boolean {
  const arn = FunctionName === undefined ? undefined : resolveReference(context, FunctionName).arn;
  return ({ configuration }) =>
    (EventSourceArn === undefined || configuration.EventSourceArn === EventSourceArn) &&
    (arn === undefined || configuration.FunctionArn === arn);
}
