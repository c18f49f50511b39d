import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layerArn, layerVersionArn, parseLayerName, parseLayerVersionArn } from './layer-arn.ts';
import { layerVersionDocumentId, layerVersionMax } from './layer.ts';

const identity = { accountId: '000000000000', region: 'us-east-1' };
const parts = { region: 'eu-west-1', accountId: '123456789012', layerName: 'a-b_C' };

test('ARNs of layers and their versions are read as they are written', () => {
  const arn = layerArn(parts, parts.layerName);
  assert.equal(arn, 'arn:aws:lambda:eu-west-1:123456789012:layer:a-b_C');
  assert.deepEqual(parseLayerName(arn, identity), parts);
  const versionArn = layerVersionArn(parts, parts.layerName, 12);
  assert.equal(versionArn, `${arn}:12`);
  assert.deepEqual(parseLayerVersionArn(versionArn), { ...parts, version: 12 });
});

test('a name alone is one of the account and region asked', () => {
  assert.deepEqual(parseLayerName('mine', identity), { ...identity, layerName: 'mine' });
});

test('the service’s own layers have no such parts', () => {
  assert.equal(parseLayerVersionArn('arn:aws:lambda:::awslayer:AmazonLinux1803'), undefined);
});

test('document ids sort the newest version first', () => {
  const versions = [layerVersionMax, 1000, 999, 10, 9, 1];
  const ids = versions.map(layerVersionDocumentId);
  assert.deepEqual(ids.toSorted(), ids);
});
