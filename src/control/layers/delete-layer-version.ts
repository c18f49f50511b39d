/** DeleteLayerVersion: no function can be given it any more; those that have it keep it. */
import type { DeleteLayerVersionRequest } from '../../model/generated/api-types.ts';
import type { ControlContext } from '../control-context.ts';
import { layerVersionKey, findLayerVersion, resolveLayerVersion } from './layer-documents.ts';

/** Deleting what is not there is no error. */
export async function deleteLayerVersion(
  context: ControlContext,
  input: DeleteLayerVersionRequest,
): Promise<Record<string, never>> {
  const name = resolveLayerVersion(context, input, 'lambda:DeleteLayerVersion');
  if ((await findLayerVersion(context, name)) === undefined) return {};
  const key = layerVersionKey(name.layerName, name.version);
  // Whatever its policy is by now; and a number is never used again, so it is the one that was meant.
  await context.store.commit([{ type: 'delete', key, expect: 'any' }]);
  return {};
}
