/**
 * A function whose runtime has passed its dates, on a server with --enforce-runtime-deprecation: it
 * is invoked as before, it can be deleted and moved to a newer runtime, and nothing else.
 */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, test } from 'node:test';
import {
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { deploy, invoke, settled, zip } from './functions.ts';
import { HearthProcess } from './hearth-process.ts';

let dataFolder = '';
after(() => rm(dataFolder, { recursive: true, force: true }));

const files = { 'index.js': 'exports.handler = async () => process.version.slice(0, 3);' };
const refused = {
  name: 'InvalidParameterValueException',
  message: /^The runtime parameter of nodejs20\.x is no longer supported for creating or updating/,
};

test('past its dates a runtime is invoked, not created or updated, and can be left', async () => {
  const FunctionName = 'old';
  const lenient = await HearthProcess.start({ driver: 'process' });
  ({ dataFolder } = lenient);
  await deploy(lenient.client, FunctionName, { files, Runtime: 'nodejs20.x' });
  await lenient.stop();

  const flags = ['--enforce-runtime-deprecation'];
  const strict = await HearthProcess.start({ driver: 'process', dataFolder, flags });
  const { client } = strict;
  try {
    assert.equal((await invoke(client, FunctionName)).result, 'v20');
    await assert.rejects(deploy(client, 'new', { files, Runtime: 'nodejs20.x' }), refused);
    const ZipFile = await zip(files);
    const code = new UpdateFunctionCodeCommand({ FunctionName, ZipFile });
    await assert.rejects(client.send(code), refused);
    const settings = new UpdateFunctionConfigurationCommand({ FunctionName, Timeout: 9 });
    await assert.rejects(client.send(settings), refused);
    assert.equal((await invoke(client, FunctionName)).result, 'v20');

    const moved = new UpdateFunctionConfigurationCommand({ FunctionName, Runtime: 'nodejs24.x' });
    await client.send(moved);
    await settled(client, FunctionName);
    assert.equal((await invoke(client, FunctionName)).result, 'v24');
    const back = new UpdateFunctionConfigurationCommand({ FunctionName, Runtime: 'nodejs20.x' });
    await assert.rejects(client.send(back), refused);
  } finally {
    await strict.stop();
  }
});
