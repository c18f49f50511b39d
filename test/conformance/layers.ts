/** Publishing layers, and what answers have of them, for the conformance tests. */
import assert from 'node:assert/strict';
import {
  PublishLayerVersionCommand,
  type LambdaClient,
  type LayerVersionContentOutput,
  type LayerVersionsListItem,
  type PublishLayerVersionCommandInput,
  type PublishLayerVersionCommandOutput,
} from '@aws-sdk/client-lambda';
import { zipOf } from '../../src/testing/zip-builder.ts';
import { sha256Of } from './configurations.ts';
import { refused } from './expect.ts';
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

/** A version published with the least, as lists give it; `members` are put over that. */
export function layerEntry(
  name: string,
  version: number,
  { CreatedDate }: LayerVersionsListItem,
  members: Partial<LayerVersionsListItem> = {},
): LayerVersionsListItem {
  assert.match(CreatedDate ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/);
  return {
    LayerVersionArn: `${layerArnOf(name)}:${version}`,
    Version: version,
    Description: '',
    CreatedDate,
    ...members,
  };
}

/** The content is that of the archive, and can be downloaded. */
export async function assertContent(
  content: LayerVersionContentOutput | undefined,
  archive: Uint8Array,
): Promise<void> {
  assert.deepEqual(content, {
    Location: content?.Location,
    CodeSha256: sha256Of(archive),
    CodeSize: archive.length,
  });
  const response = await fetch(content.Location ?? '');
  assert.equal(response.status, 200);
  assert.ok(Buffer.from(await response.arrayBuffer()).equals(archive));
}

/** In the words of terraform-provider-aws #22681. */
export function layerMissing(call: Promise<unknown>): Promise<void> {
  return refused(call, 'ResourceNotFoundException', 'The resource you requested does not exist.');
}

/**
 * Layers of another region do not exist here, those of another account are not for us, and names are
 * names or ARNs of layers.
 */
export async function refusesForeignLayers(
  operation: string,
  call: (LayerName: string) => Promise<unknown>,
): Promise<void> {
  await layerMissing(call(layerArnOf('x').replace(region, 'eu-west-1')));
  const foreign = layerArnOf('x').replace(accountId, '123456789012');
  const action = `lambda:${operation}`;
  // mooyoul/serverless-latest-layer-version #31
  await refused(
    call(foreign),
    'AccessDeniedException',
    new RegExp(
      `^User: arn:aws:iam::${accountId}:root is not authorized to perform: ${action} on resource: ` +
        `${foreign}(:1)? because no resource-based policy allows the ${action} action$`,
    ),
  );
  for (const name of ['a b', 'n'.repeat(141), `${layerArnOf('x')}:1`]) {
    await refused(call(name), 'ValidationException', /at 'layerName' failed to satisfy constraint/);
  }
}

/** Version numbers begin with 1 (localstack's provider, whose words are compared with the service's). */
export async function refusesNumbersBelowOne(
  call: (VersionNumber: number) => Promise<unknown>,
): Promise<void> {
  for (const version of [0, -1]) {
    await refused(
      call(version),
      'InvalidParameterValueException',
      'Layer Version Cannot be less than 1',
    );
  }
}
