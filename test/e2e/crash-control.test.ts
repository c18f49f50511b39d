/**
 * A storm of creates, updates, publishes, tags and deletes through the API, with the whole server
 * killed by SIGKILL at random moments: after each restart every acknowledged write is there, nothing
 * is half-made, and code that nothing uses is gone.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  TagResourceCommand,
  UpdateFunctionCodeCommand,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { role, zip } from './functions.ts';
import { HearthProcess } from './hearth-process.ts';

const roundCount = 30;
const writerCount = 4;
/** A round's server lives this long at most. */
const roundMsMax = 500;

/** What one writer knows of its function: what was acknowledged, and what may have happened since. */
interface Known {
  /** CodeSha256 values that $LATEST may have; undefined stands for no function. */
  possible: (string | undefined)[];
  /** Published versions that were acknowledged, with their code. */
  readonly versions: Map<string, string>;
  /** Tag values that may be there. */
  tags: (string | undefined)[];
  /** The highest version ever acknowledged: a later one is higher, also after a delete. */
  lastVersion: number;
}

/** A reproducible source of random numbers (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('base64');

/** Writes as fast as it can until the server is gone. */
async function write(
  client: LambdaClient,
  name: string,
  known: Known,
  random: () => number,
): Promise<void> {
  for (;;) {
    try {
      await writeOnce(client, name, known, random);
    } catch (error) {
      const { name: code } = error as Error;
      // An update is still settling, or there is no such function just now: go on.
      if (['ResourceConflictException', 'ResourceNotFoundException'].includes(code)) continue;
      return;
    }
  }
}

async function writeOnce(
  client: LambdaClient,
  name: string,
  known: Known,
  random: () => number,
): Promise<void> {
  const [present] = known.possible;
  if (present === undefined) {
    const code = await zip({ 'index.js': `// ${name} ${random()}` });
    known.possible.push(sha256(code));
    known.tags.push(undefined);
    await client.send(
      new CreateFunctionCommand({
        FunctionName: name,
        Role: role,
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
        Code: { ZipFile: code },
      }),
    );
    known.possible = [sha256(code)];
    known.tags = [undefined];
    return;
  }
  const choice = random();
  if (choice < 0.45) {
    const code = await zip({ 'index.js': `// ${name} ${random()}` });
    known.possible.push(sha256(code));
    await client.send(new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile: code }));
    known.possible = [sha256(code)];
  } else if (choice < 0.7) {
    const published = await client.send(new PublishVersionCommand({ FunctionName: name }));
    assert(published.Version !== undefined && published.CodeSha256 !== undefined);
    assert(Number(published.Version) >= known.lastVersion, 'version numbers never go back');
    known.versions.set(published.Version, published.CodeSha256);
    known.lastVersion = Number(published.Version);
  } else if (choice < 0.9) {
    const value = String(random());
    known.tags.push(value);
    const Resource = `arn:aws:lambda:us-east-1:000000000000:function:${name}`;
    await client.send(new TagResourceCommand({ Resource, Tags: { t: value } }));
    known.tags = [value];
  } else {
    known.possible.push(undefined);
    await client.send(new DeleteFunctionCommand({ FunctionName: name }));
    known.possible = [undefined];
    known.versions.clear();
  }
}

/** Compares the server with what was acknowledged; what it has now is from here on what is known. */
async function check(client: LambdaClient, name: string, known: Known): Promise<void> {
  const found = await client.send(new GetFunctionCommand({ FunctionName: name })).catch((error) => {
    assert.equal((error as Error).name, 'ResourceNotFoundException');
    return undefined;
  });
  const sha = found?.Configuration?.CodeSha256;
  assert(known.possible.includes(sha), `${name} has code ${sha}, not one of ${known.possible}`);
  if (found === undefined) {
    known.possible = [undefined];
    known.versions.clear();
    return;
  }
  const tag = found.Tags?.['t'];
  assert(known.tags.includes(tag), `${name} has tag ${tag}, not one of ${known.tags}`);
  const code = Buffer.from(await (await fetch(found.Code?.Location ?? '')).arrayBuffer());
  assert.equal(sha256(code), sha, 'the code is the one that was acknowledged');
  const { Versions = [] } = await client.send(
    new ListVersionsByFunctionCommand({ FunctionName: name }),
  );
  const versions = new Map(Versions.map(({ Version, CodeSha256 }) => [Version, CodeSha256]));
  for (const [version, versionSha] of known.versions) {
    assert.equal(versions.get(version), versionSha, `${name}:${version} is as acknowledged`);
  }
  known.possible = [sha];
  known.tags = [tag];
  for (const { Version, CodeSha256 } of Versions) {
    if (Version === '$LATEST' || Version === undefined || CodeSha256 === undefined) continue;
    known.versions.set(Version, CodeSha256);
    known.lastVersion = Math.max(known.lastVersion, Number(Version));
  }
}

async function storedBlobs(dataFolder: string): Promise<number> {
  const entries = await readdir(join(dataFolder, 'blobs'), {
    recursive: true,
    withFileTypes: true,
  });
  return entries.filter((entry) => entry.isFile() && /^[0-9a-f]{64}$/.test(entry.name)).length;
}

test('acknowledged writes survive SIGKILL at any moment, and nothing half-made stays', async (t) => {
  const seed = Number(process.env['HEARTH_SEED'] ?? Date.now() % 2 ** 31);
  t.diagnostic(`seed ${seed} (HEARTH_SEED replays the moments, not the interleaving)`);
  const random = randomNumbers(seed);
  const dataFolder = await mkdtemp(join(tmpdir(), 'hearth-crash-'));
  t.after(() => rm(dataFolder, { recursive: true, force: true }));
  const writers = Array.from({ length: writerCount }, (_, index) => ({
    name: `storm-${index}`,
    known: {
      possible: [undefined],
      versions: new Map(),
      tags: [undefined],
      lastVersion: 0,
    } as Known,
  }));
  for (let round = 0; round <= roundCount; round += 1) {
    const hearth = await HearthProcess.start({
      driver: 'process',
      dataFolder,
      flags: ['--pool-size', '0'],
    });
    try {
      for (const { name, known } of writers) await check(hearth.client, name, known);
      const used = new Set(
        writers.flatMap(({ known }) => [...known.possible, ...known.versions.values()]),
      );
      used.delete(undefined);
      assert.equal(
        await storedBlobs(dataFolder),
        used.size,
        'only code that something uses is kept',
      );
      if (round === roundCount) break;
      const storm = writers.map(({ name, known }) => write(hearth.client, name, known, random));
      await sleep(20 + random() * roundMsMax);
      await hearth.kill();
      await Promise.all(storm);
    } finally {
      await hearth.stop();
    }
  }
  const writes = writers.reduce((sum, { known }) => sum + known.lastVersion, 0);
  assert(writes > roundCount, `the storm was a storm: ${writes} versions were published`);
});
