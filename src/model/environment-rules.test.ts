import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkEnvironment } from './environment-rules.ts';
import { limits } from './limits.ts';

test('checkEnvironment names every reserved key used', () => {
  assert.throws(() => checkEnvironment({ AWS_REGION: 'x', MINE: 'y', _HANDLER: 'z' }), {
    code: 'InvalidParameterValueException',
    message: /Reserved keys used in this request: AWS_REGION, _HANDLER$/,
  });
});

test('checkEnvironment measures the map as JSON', () => {
  const overhead = JSON.stringify({ KEY: '' }).length;
  checkEnvironment({ KEY: 'x'.repeat(limits.environmentBytesMax - overhead) });
  assert.throws(
    () => checkEnvironment({ KEY: 'x'.repeat(limits.environmentBytesMax - overhead + 1) }),
    {
      code: 'InvalidParameterValueException',
      message: /exceeded the 4KB limit. String measured: /,
    },
  );
});

test('checkEnvironment leaves names alone that may be overridden', () => {
  checkEnvironment({ PATH: '/x', LANG: 'C', TZ: ':UTC', NODE_PATH: '/opt' });
});
