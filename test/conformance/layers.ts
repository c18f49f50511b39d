/** Publishing layers, for the conformance tests that need some. */
import {
  PublishLayerVersionCommand,
  type LambdaClient,
  type PublishLayerVersionCommandInput,
  type PublishLayerVersionCommandOutput,
} from '@aws-sdk/client-lambda';
import { zipOf } from '../../src/testing/zip-builder.ts';
import { accountId, region } from './server.ts';

export const layerZip = zipOf({ 'nodejs/node_modules/x/index.js': 'module.exports = 1;' });

export function layerArnOf(name: string): string {
  return `arn:aws:lambda:${region}:${accountId}:layer:${name}`;
}

export function publishLayer(
  client: LambdaClient,
  name: string,
  overrides: Partial<PublishLayerVersionCommandInput> = {},
): Promise<PublishLayerVersionCommandOutput> {
  const input = { LayerName: name, Content: { ZipFile: layerZip }, ...overrides };
  return client.send(new PublishLayerVersionCommand(input));
}
