/** PublishLayerVersion: the next version of a layer, which begins with its first one. */
import type { CodeReference, VersionCounter } from '../../model/function.ts';
import type {
  PublishLayerVersionRequest,
  PublishLayerVersionResponse,
} from '../../model/generated/api-types.ts';
import type { LayerVersionRecord } from '../../model/layer.ts';
import { stageCode } from '../code/code-package.ts';
import { codeSourceOf } from '../code/code-source.ts';
import type { ControlContext } from '../control-context.ts';
import { timestamp } from '../functions/function-configuration.ts';
import { commitWithRetry, writeDocument } from '../commit.ts';
import { layerVersionCounterKey, layerVersionKey, resolveLayerName } from './layer-documents.ts';
import { renderLayerVersion } from './render-layer-version.ts';

export async function publishLayerVersion(
  context: ControlContext,
  input: PublishLayerVersionRequest,
  { baseUrl }: { readonly baseUrl: string },
): Promise<PublishLayerVersionResponse> {
  const layerName = resolveLayerName(context, input.LayerName, 'lambda:PublishLayerVersion');
  const staged = await stageCode(context, codeSourceOf(input.Content));
  try {
    return await commitWithRetry(context.store, async () => {
      const counterKey = layerVersionCounterKey(layerName);
      const counter = await context.store.get<VersionCounter>(counterKey);
      const version = (counter?.value.lastVersion ?? 0) + 1;
      const record = newRecord(context, input, { layerName, version, code: staged.code });
      const next: VersionCounter = { lastVersion: version };
      const key = layerVersionKey(layerName, version);
      return {
        operations: [
          writeDocument(key, undefined, record),
          writeDocument(counterKey, counter, next),
        ],
        result: renderLayerVersion(context, record, baseUrl),
      };
    });
  } finally {
    staged.release();
  }
}

function newRecord(
  { clock }: ControlContext,
  input: PublishLayerVersionRequest,
  parts: { readonly layerName: string; readonly version: number; readonly code: CodeReference },
): LayerVersionRecord {
  return {
    ...parts,
    description: input.Description ?? '',
    licenseInfo: input.LicenseInfo ?? null,
    createdDate: timestamp(clock.nowMs()),
    compatibleRuntimes: input.CompatibleRuntimes ?? null,
    compatibleArchitectures: input.CompatibleArchitectures ?? null,
    policy: null,
  };
}
