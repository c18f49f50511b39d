/**
 * A storm of changes of everything that can be set beside a function's code and configuration, with the
 * whole server killed by SIGKILL at random moments: after each restart every acknowledged change is
 * there, and what was in between settles.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateAliasCommand,
  CreateCodeSigningConfigCommand,
  PublishVersionCommand,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { SeededRandom } from '../simulation/seeded-random.ts';
import { FunctionName, stormedSettings, type Setting, type Value } from './crash-settings.ts';
import { deploy } from './functions.ts';
import { HearthProcess } from './hearth-process.ts';

const roundCount = 12;
/** A round's server lives this long at most. */
const roundMsMax = 400;

/** What one writer knows of its setting. */
interface Known {
  /** What was acknowledged, and what may have happened since. */
  possible: Value[];
  changes: number;
}

/** Makes the function and gives what can be set for it. */
async function prepare(client: LambdaClient): Promise<readonly Setting[]> {
  await deploy(client, FunctionName, { files: { 'index.js': '' } });
  await client.send(new PublishVersionCommand({ FunctionName }));
  const live = { FunctionName, Name: 'live', FunctionVersion: '1' };
  await client.send(new CreateAliasCommand(live));
  const arns: string[] = [];
  for (let count = 0; count < 2; count += 1) {
    const profile = 'arn:aws:signer:us-east-1:000000000000:/signing-profiles/hearth/abcdefghij';
    const AllowedPublishers = { SigningProfileVersionArns: [profile] };
    const created = await client.send(new CreateCodeSigningConfigCommand({ AllowedPublishers }));
    arns.push(created.CodeSigningConfig?.CodeSigningConfigArn ?? '');
  }
  return stormedSettings(arns);
}

/** Changes a setting as fast as it can until the server is gone; rejects if the server fails. */
async function storm(
  client: LambdaClient,
  setting: Setting,
  { known, random }: { readonly known: Known; readonly random: SeededRandom },
): Promise<void> {
  for (;;) {
    const [present] = known.possible;
    const value = random.pick(setting.values);
    known.possible = [present, value];
    try {
      await setting.write(client, value, present);
    } catch (error) {
      const { name, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
      if ($metadata?.httpStatusCode === undefined) return;
      // A mapping that is still settling: nothing was changed.
      const isUnsettled = ['ResourceInUseException', 'ResourceConflictException'].includes(name);
      assert(isUnsettled, `${setting.name}: ${String(error)}`);
      known.possible = [present];
      continue;
    }
    known.possible = [value];
    known.changes += 1;
  }
}

test('acknowledged settings survive SIGKILL at any moment', async (t) => {
  const seed = Number(process.env['HEARTH_SEED'] ?? Date.now() % 2 ** 31);
  t.diagnostic(`seed ${seed} (HEARTH_SEED replays the moments, not the interleaving)`);
  const random = new SeededRandom(seed);
  const dataFolder = await mkdtemp(join(tmpdir(), 'hearth-crash-'));
  t.after(() => rm(dataFolder, { recursive: true, force: true }));
  let settings: readonly Setting[] = [];
  const known = new Map<string, Known>();
  const knownOf = (setting: Setting): Known => {
    const found = known.get(setting.name) ?? { possible: [...setting.values], changes: 0 };
    known.set(setting.name, found);
    return found;
  };
  for (let round = 0; round <= roundCount; round += 1) {
    const flags = ['--pool-size', '0'];
    const hearth = await HearthProcess.start({ driver: 'process', dataFolder, flags });
    const { client } = hearth;
    try {
      if (round === 0) settings = await prepare(client);
      for (const setting of settings) {
        const { possible } = knownOf(setting);
        const value = await setting.read(client);
        assert(possible.includes(value), `${setting.name}: ${value}, not one of ${possible}`);
        knownOf(setting).possible = [value];
      }
      if (round === roundCount) break;
      const storms = Promise.all(
        settings.map((setting) => storm(client, setting, { known: knownOf(setting), random })),
      );
      storms.catch(() => undefined);
      await sleep(20 + random.fraction() * roundMsMax);
      await hearth.kill();
      await storms;
    } finally {
      await hearth.stop();
    }
  }
  for (const [name, { changes }] of known) {
    assert(changes > roundCount, `${name}: the storm was a storm, with ${changes} changes`);
  }
});
