/**
 * Finds the layer versions that a function is to have and holds their content, so that it is there
 * when the function is written even if somebody deletes the layer meanwhile.
 */
import { layerVersionMissing } from '../../model/errors.ts';
import type { CodeReference, LayerReference } from '../../model/function.ts';
import { layerVersionArn, type LayerVersionReference } from '../../model/layer-arn.ts';
import { checkLayers } from '../../model/layer-rules.ts';
import type { ControlContext } from '../control-context.ts';
import { findLayerVersion } from './layer-documents.ts';

export interface HeldLayers {
  /** In the order of the request: lowest first. */
  readonly layers: readonly LayerReference[];
  /** Lets go of their content, once the function is written or refused. Exactly once. */
  release(): void;
}

/** Throws what checkLayers throws, and InvalidParameterValue for a version that does not exist. */
export async function holdLayers(
  context: ControlContext,
  arns: readonly string[],
): Promise<HeldLayers> {
  const references = checkLayers(arns, context.settings, context.settings);
  const layers: LayerReference[] = [];
  const releases: (() => void)[] = [];
  const release = (): void => releases.forEach((letGo) => letGo());
  try {
    for (const reference of references) {
      const arn = layerVersionArn(context.settings, reference.layerName, reference.version);
      const code = await holdLayer(context, reference, releases);
      if (code === undefined) throw layerVersionMissing(arn);
      layers.push({ arn, code });
    }
    return { layers, release };
  } catch (error) {
    release();
    throw error;
  }
}

async function holdLayer(
  context: ControlContext,
  reference: LayerVersionReference,
  releases: (() => void)[],
): Promise<CodeReference | undefined> {
  const found = await findLayerVersion(context, reference);
  if (found === undefined) return undefined;
  releases.push(await context.sweeper.hold(found.value.code.hash));
  // Still there, so its content was not removed before it was held.
  return (await findLayerVersion(context, reference))?.value.code;
}
