/** ListCodeSigningConfigs: all configurations by id. */
import { codeSigningCollections, type CodeSigningConfigRecord } from '../../model/code-signing.ts';
import type {
  ListCodeSigningConfigsRequest,
  ListCodeSigningConfigsResponse,
} from '../../model/generated/api-types.ts';
import { limits } from '../../model/limits.ts';
import type { ControlContext } from '../control-context.ts';
import { pageOf, parseScopedMarker, renderScopedMarker } from '../list-marker.ts';
import { renderCodeSigningConfig } from './code-signing-documents.ts';

/** Configurations read at once: a page may have many more. */
const CONFIGS_PER_READ = 500;
const MARKER_SCOPE = 'code-signing-configs';

export async function listCodeSigningConfigs(
  context: ControlContext,
  input: ListCodeSigningConfigsRequest,
): Promise<ListCodeSigningConfigsResponse> {
  const pageSize = input.MaxItems ?? limits.codeSigningPageItemsMax;
  const after = parseScopedMarker(input.Marker, MARKER_SCOPE);
  const found = await readConfigs(context, after, pageSize + 1);
  const { items, next } = pageOf(found, pageSize, ({ configId }) =>
    renderScopedMarker(MARKER_SCOPE, configId),
  );
  return {
    ...next,
    CodeSigningConfigs: items.map((record) => renderCodeSigningConfig(record, context.settings)),
  };
}

/** Configurations from after an id, as many as are wanted. */
async function readConfigs(
  { store }: ControlContext,
  after: string | undefined,
  wanted: number,
): Promise<CodeSigningConfigRecord[]> {
  const found: CodeSigningConfigRecord[] = [];
  for (let last = after; found.length < wanted;) {
    const limit = Math.min(wanted - found.length, CONFIGS_PER_READ);
    const documents = await store.list<CodeSigningConfigRecord>(codeSigningCollections.config, {
      limit,
      ...(last === undefined ? {} : { after: { partition: last, id: '' } }),
    });
    found.push(...documents.map(({ value }) => value));
    if (documents.length < limit) break;
    last = documents.at(-1)?.partition;
  }
  return found;
}
