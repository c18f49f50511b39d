import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LayerReference } from './function.ts';
import { checkCodeFits, checkCombinedSize, checkLayers, checkLayersFit } from './layer-rules.ts';
import { limits } from './limits.ts';

const identity = { accountId: '000000000000', region: 'us-east-1' };
const layer = 'arn:aws:lambda:us-east-1:000000000000:layer:x:1';
const invalid = 'InvalidParameterValueException';

const refusals: readonly [string, readonly string[], string, string][] = [
  [
    'one of the service’s own layers',
    ['arn:aws:lambda:::awslayer:x'],
    invalid,
    'Layer version arn:aws:lambda:::awslayer:x does not exist.',
  ],
  ['six layers', Array<string>(6).fill(layer), invalid, 'Cannot reference more than 5 layers.'],
  [
    'two versions of a layer',
    [layer, layer.replace('x:1', 'y:1'), layer.replace('x:1', 'x:2')],
    invalid,
    'Two different versions of the same layer are not allowed to be referenced in the same function. ' +
      `${layer} and ${layer.replace('x:1', 'x:2')} are versions of the same layer.`,
  ],
  [
    'a layer twice',
    [layer, layer],
    invalid,
    'Two different versions of the same layer are not allowed to be referenced in the same function. ' +
      `${layer} and ${layer} are versions of the same layer.`,
  ],
  [
    'a layer of another region',
    [layer.replace('us-east-1', 'eu-west-1')],
    invalid,
    'Layers are not in the same region as the function. Layers are expected to be in region us-east-1.',
  ],
  [
    "another account's layer",
    [layer.replace('000000000000', '123456789012')],
    'AccessDeniedException',
    'User: arn:aws:iam::000000000000:root is not authorized to perform: lambda:GetLayerVersion on ' +
      'resource: arn:aws:lambda:us-east-1:123456789012:layer:x:1 because no resource-based policy ' +
      'allows the lambda:GetLayerVersion action',
  ],
];

for (const [what, layers, code, message] of refusals) {
  test(`checkLayers refuses ${what}`, () => {
    assert.throws(() => checkLayers(layers, identity), { code, message });
  });
}

test('checkLayers accepts none and up to five, and gives them in their order', () => {
  assert.deepEqual(checkLayers([], identity), []);
  const layers = [5, 3, 1, 2, 4].map((n) => layer.replace('x:1', `layer-${n}:${n}`));
  const found = checkLayers(layers, identity);
  assert.deepEqual(
    found.map(({ layerName, version }) => `${layerName}:${version}`),
    ['layer-5:5', 'layer-3:3', 'layer-1:1', 'layer-2:2', 'layer-4:4'],
  );
});

function codeOf(unzippedBytes: number) {
  return { hash: 'a'.repeat(64), zippedBytes: 1, unzippedBytes };
}

function layersOf(...sizes: readonly number[]): LayerReference[] {
  return sizes.map((size) => ({ arn: layer, code: codeOf(size) }));
}

const max = limits.codeUnzippedBytesMax;

test('layers may fill all the room, no more', () => {
  checkLayersFit([]);
  checkLayersFit(layersOf(max - 1, 1));
  assert.throws(() => checkLayersFit(layersOf(max, 1)), {
    code: invalid,
    message: 'Layers consume more than the available size of 262144000 bytes',
  });
});

test('new code has the room that its layers leave', () => {
  checkCodeFits(codeOf(max), []);
  checkCodeFits(codeOf(max - 30), layersOf(10, 20));
  assert.throws(() => checkCodeFits(codeOf(max - 29), layersOf(10, 20)), {
    code: invalid,
    message: 'Unzipped size must be smaller than 262143970 bytes',
  });
});

test('other layers have the room that the code leaves', () => {
  checkCombinedSize([codeOf(10), codeOf(max - 10)]);
  assert.throws(() => checkCombinedSize([codeOf(11), codeOf(max - 20), codeOf(10)]), {
    code: invalid,
    message:
      'Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. ' +
      'The actual size is 262144001 bytes.',
  });
});
