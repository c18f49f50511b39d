import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { operations } from '../model/service-model.ts';
import { createRouteTable } from './route-table.ts';

const routes = createRouteTable(
  [...operations.values()].map((operation) => [operation, operation.name] as const),
);

const durableArn =
  'arn:aws:lambda:us-east-1:000000000000:function:f:1/durable-execution/run/0a1b2c';

function sampleValue(name: string): string {
  return name === 'DurableExecutionArn' ? durableArn : `arn:aws:lambda:us-east-1:0:x:${name}`;
}

describe('route table', () => {
  for (const operation of operations.values()) {
    test(`finds ${operation.name}`, () => {
      const names = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
      const query = operation.requiredQuery.map(([name, value]) => `${name}=${value}`).join('&');
      const expected = Object.fromEntries(names.map((name) => [name, sampleValue(name)]));
      for (const encode of [encodeURIComponent, (text: string) => text]) {
        for (const slash of ['', '/']) {
          const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) =>
            encode(sampleValue(name)),
          );
          const url = `${path}${slash}${query === '' ? '' : `?${query}`}`;
          const match = routes.find(operation.method, url);
          assert.equal(match?.target, operation.name, url);
          for (const name of names) assert.equal(match.params[name], expected[name], url);
        }
      }
    });
  }

  test('tells apart operations by their query parameter', () => {
    const target = (url: string) => routes.find('GET', url)?.target;
    assert.equal(target('/2018-10-31/layers'), 'ListLayers');
    assert.equal(target('/2018-10-31/layers?find=Other'), 'ListLayers');
    const found = '/2018-10-31/layers?Arn=arn%3Aaws&find=LayerVersion';
    assert.equal(target(found), 'GetLayerVersionByArn');
    const concurrency = '/2019-09-30/functions/f/provisioned-concurrency';
    assert.equal(target(`${concurrency}?List=ALL`), 'ListProvisionedConcurrencyConfigs');
    assert.equal(target(`${concurrency}?Qualifier=1`), 'GetProvisionedConcurrencyConfig');
  });

  test('takes path parameters as long as the longest ARN of the model, encoded', () => {
    const name = '%3A'.repeat(10_000);
    const match = routes.find('GET', `/2017-03-31/tags/${name}`);
    assert.equal(match?.params['Resource'], ':'.repeat(10_000));
  });

  test('decodes a parameter once', () => {
    const match = routes.find('GET', '/2015-03-31/functions/a%2525b%2Fc');
    assert.equal(match?.params['FunctionName'], 'a%25b/c');
  });

  test('hands the query string over untouched', () => {
    const match = routes.find('GET', '/2015-03-31/functions?Marker=a%2Fb&MaxItems=5');
    assert.equal(match?.query, 'Marker=a%2Fb&MaxItems=5');
  });

  test('finds nothing elsewhere, nor under another method', () => {
    for (const url of ['/', '/2015-03-31', '//2015-03-31/functions', '/x/%zz', '', '*']) {
      assert.equal(routes.find('GET', url), undefined, url);
    }
    assert.equal(routes.find('PATCH', '/2015-03-31/functions'), undefined);
    assert.equal(routes.find('DELETE', '/2015-03-31/functions'), undefined);
  });
});
