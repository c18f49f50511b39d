/** GetAlias. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateAliasCommand, GetAliasCommand } from '@aws-sdk/client-lambda';
import { createVersioned } from './configurations.ts';
import { invalid, nameForms, notFound, refused } from './expect.ts';
import { arnOf, useServer } from './server.ts';

const shared = 'shared';

const server = useServer({}, async (client) => {
  await createVersioned(client, shared, 2);
  const RoutingConfig = { AdditionalVersionWeights: { '2': 0.25 } };
  const alias = { FunctionName: shared, Name: 'live', FunctionVersion: '1', RoutingConfig };
  await client.send(new CreateAliasCommand({ ...alias, Description: 'd' }));
});

function get(FunctionName: string, Name = 'live') {
  return server.client.send(new GetAliasCommand({ FunctionName, Name }));
}

test('it answers with every member, for all forms of a name', async () => {
  for (const form of [...nameForms(shared), `${shared}:$LATEST`]) {
    const { $metadata, ...found } = await get(form);
    assert.equal($metadata.httpStatusCode, 200);
    assert.deepEqual(found, {
      AliasArn: `${arnOf(shared)}:live`,
      Name: 'live',
      FunctionVersion: '1',
      Description: 'd',
      RoutingConfig: { AdditionalVersionWeights: { '2': 0.25 } },
      RevisionId: found.RevisionId,
    });
  }
});

test('it refuses what is not there, and names that are none', async () => {
  // As the Terraform provider looks for it (resource_aws_lambda_alias).
  await refused(
    get(shared, 'absent'),
    'ResourceNotFoundException',
    `Cannot find alias arn: ${arnOf(shared)}:absent`,
  );
  await notFound(get('unknown'), 'unknown');
  await invalid(get(shared, '1'), 'name');
  await refused(
    get(`${shared}:live`),
    'InvalidParameterValueException',
    'Current operation does not support versions other than $LATEST',
  );
});
