import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandom, type Random } from '../base/random.ts';
import { aliasRoute, drawVersion, type AliasRoute } from './alias-route.ts';

/** Gives 0, 0.001, 0.002 ... in an order that jumps about, each once in 1,000. */
function evenRandom(): Random {
  let drawn = 0;
  return { ...systemRandom, fraction: () => ((drawn++ * 387) % 1000) / 1000 };
}

function route(weights?: Record<string, number>): AliasRoute {
  return aliasRoute({
    configuration: {
      Name: 'live',
      FunctionVersion: '1',
      RevisionId: 'r',
      ...(weights === undefined ? {} : { RoutingConfig: { AdditionalVersionWeights: weights } }),
    },
  });
}

test('drawVersion gives each version exactly its share of evenly spread draws', () => {
  for (const [weight, expected] of [
    [0, 0],
    [0.001, 1],
    [0.1, 100],
    [0.25, 250],
    [0.999, 999],
    [1, 1000],
  ] as const) {
    const random = evenRandom();
    const drawn = Array.from({ length: 1000 }, () => drawVersion(route({ '2': weight }), random));
    assert.equal(drawn.filter((version) => version === '2').length, expected, `${weight}`);
    assert.equal(drawn.filter((version) => version === '1').length, 1000 - expected);
  }
});

test('drawVersion draws nothing for an alias without weights', () => {
  const fraction = (): never => assert.fail('drawn');
  const random: Random = { ...systemRandom, fraction };
  assert.equal(drawVersion(route(), random), '1');
  assert.equal(drawVersion(route({}), random), '1');
});
