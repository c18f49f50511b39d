/** SnapStart as clients configure it. Nothing runs functions here, so versions stay Pending. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateFunctionCommand,
  GetFunctionConfigurationCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  UpdateFunctionConfigurationCommand,
  type CreateFunctionCommandInput,
} from '@aws-sdk/client-lambda';
import { createActive, handlerZip, role, untilUpdated, useServer } from './server.ts';

const server = useServer();
const SnapStart = { ApplyOn: 'PublishedVersions' } as const;

test('SnapStart is given back, Off until a version has its snapshot', async () => {
  const FunctionName = 'snapped';
  await createActive(server.client, FunctionName, { Runtime: 'python3.12', SnapStart });
  const { client } = server;
  const off = { ...SnapStart, OptimizationStatus: 'Off' };
  const latest = await client.send(new GetFunctionConfigurationCommand({ FunctionName }));
  assert.equal(latest.State, 'Active');
  assert.deepEqual(latest.SnapStart, off);
  const published = await client.send(new PublishVersionCommand({ FunctionName }));
  assert.equal(published.State, 'Pending');
  assert.equal(published.StateReasonCode, 'Creating');
  assert.deepEqual(published.SnapStart, off);
  const { Versions = [] } = await client.send(new ListVersionsByFunctionCommand({ FunctionName }));
  assert.deepEqual(
    Versions.map(({ Version, SnapStart: listed }) => [Version, listed]),
    [
      ['$LATEST', off],
      ['1', off],
    ],
  );
  const none = { FunctionName, SnapStart: { ApplyOn: 'None' } } as const;
  await client.send(new UpdateFunctionConfigurationCommand(none));
  await untilUpdated(client, FunctionName);
  const plain = await client.send(new PublishVersionCommand({ FunctionName }));
  assert.equal(plain.Version, '2');
  assert.equal(plain.State, 'Active');
  assert.deepEqual(plain.SnapStart, { ApplyOn: 'None', OptimizationStatus: 'Off' });
});

test('SnapStart is refused with what it excludes', async () => {
  const refused: readonly [Partial<CreateFunctionCommandInput>, string][] = [
    [{ Runtime: 'nodejs22.x' }, 'nodejs22.x'],
    [{ Runtime: 'python3.11' }, 'python3.11'],
    [{ Runtime: 'provided.al2023' }, 'provided.al2023'],
    [{ EphemeralStorage: { Size: 1024 } }, 'Ephemeral storage greater than 512 MB'],
    [
      { PackageType: 'Image', Code: { ImageUri: 'registry/image:1' }, Runtime: undefined },
      'ContainerImage',
    ],
  ];
  for (const [members, what] of refused) {
    const request = new CreateFunctionCommand({
      ...{ FunctionName: 'refused', Role: role, Handler: 'app.handler', Runtime: 'python3.12' },
      Code: { ZipFile: handlerZip },
      SnapStart,
      ...members,
    });
    await assert.rejects(server.client.send(request), {
      name: 'InvalidParameterValueException',
      message: `${what} is not supported for SnapStart enabled functions.`,
    });
  }
  await assert.rejects(
    server.client.send(
      new CreateFunctionCommand({
        ...{ FunctionName: 'refused', Role: role, Handler: 'app.handler', Runtime: 'python3.12' },
        Code: { ZipFile: handlerZip },
        SnapStart: { ApplyOn: 'Always' as 'None' },
      }),
    ),
    { name: 'ValidationException' },
  );
});
