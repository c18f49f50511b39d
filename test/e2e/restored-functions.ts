/** Functions with SnapStart for tests: the runtime that they have here, and how they get a version. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  GetFunctionConfigurationCommand,
  PublishVersionCommand,
  type FunctionConfiguration,
  type LambdaClient,
  type Runtime,
} from '@aws-sdk/client-lambda';
import { findRuntimeSearch } from '../../src/config.ts';
import { createRuntimeCatalog } from '../../src/worker/runtimes.ts';
import { deploy } from './functions.ts';
import { drivers } from './hearth-process.ts';

/** Undefined without any, and then the tests that need it are skipped. */
export const snapStartRuntime = createRuntimeCatalog(findRuntimeSearch())
  .list()
  .find(({ id, available }) => /^python3\.1[2-9]$/.test(id) && available)?.id as
  Runtime | undefined;

/** Environments are copies of one process, behind walls of their own. */
export const hasWalledCopies =
  drivers.includes('oci') && process.arch === 'x64' && snapStartRuntime !== undefined;

/** With what `deploy` has them, beside code. */
export const snapStartSetup = {
  Runtime: snapStartRuntime ?? 'python3.12',
  Handler: 'app.handler',
  SnapStart: { ApplyOn: 'PublishedVersions' },
  Timeout: 30,
} as const;

/** Publishes and waits until the version is no longer pending. */
export async function publish(
  client: LambdaClient,
  FunctionName: string,
): Promise<FunctionConfiguration> {
  const { Version, State, SnapStart } = await client.send(
    new PublishVersionCommand({ FunctionName }),
  );
  assert.equal(State, 'Pending');
  assert.deepEqual(SnapStart, { ApplyOn: 'PublishedVersions', OptimizationStatus: 'Off' });
  for (;;) {
    const found = await client.send(
      new GetFunctionConfigurationCommand({ FunctionName, Qualifier: Version }),
    );
    if (found.State !== 'Pending') return found;
    await sleep(5);
  }
}

/** A function and its version 1, which can be invoked. */
export async function deployPublished(
  client: LambdaClient,
  name: string,
  input: Parameters<typeof deploy>[2],
): Promise<void> {
  await deploy(client, name, { ...snapStartSetup, ...input });
  const { State, StateReason } = await publish(client, name);
  assert.equal(State, 'Active', StateReason);
}
