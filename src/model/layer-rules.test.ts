import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkLayers } from './layer-rules.ts';

const identity = { accountId: '000000000000', region: 'us-east-1' };
const layer = 'arn:aws:lambda:us-east-1:000000000000:layer:x:1';
const invalid = 'InvalidParameterValueException';

const refusals: readonly [string, readonly string[], string, string][] = [
  ['a missing layer', [layer], invalid, `Layer version ${layer} does not exist.`],
  ['six layers', Array<string>(6).fill(layer), invalid, 'Cannot reference more than 5 layers.'],
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

test('checkLayers accepts no layers', () => {
  checkLayers([], identity);
});
