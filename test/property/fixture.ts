/** What the inputs of operations can name: a function with two versions and an alias, and a layer. */
import { zipOf } from '../../src/testing/zip-builder.ts';
import { accountId, arnOf, region, role } from '../conformance/server.ts';
import type { Step } from './journey.ts';

export const functionName = 'fixture';
export const functionArn = arnOf(functionName);
export const aliasName = 'live';
export const layerName = 'fixture-layer';
export const layerVersionArn = `arn:aws:lambda:${region}:${accountId}:layer:${layerName}:1`;

/** In base64, as they travel. */
export const archives = ['1', '2', '3', '4'].map((text) =>
  zipOf({ 'index.js': `exports.handler = async () => ${text};` }).toString('base64'),
);

const names = { FunctionName: functionName };

/** One after the other, each settled before the next. */
export const fixtureSteps: readonly Step[] = [
  [
    'CreateFunction',
    {
      ...names,
      Role: role,
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Code: { ZipFile: archives[0] },
    },
  ],
  ['PublishVersion', names],
  ['UpdateFunctionConfiguration', { ...names, Description: 'second' }],
  ['PublishVersion', names],
  ['CreateAlias', { ...names, Name: aliasName, FunctionVersion: '1' }],
  ['PublishLayerVersion', { LayerName: layerName, Content: { ZipFile: archives[0] } }],
];
