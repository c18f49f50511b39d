/**
 * Clients that nobody here wrote, unmodified: the AWS CLI and boto3, as they are on this machine.
 * (The AWS SDK for JavaScript drives all other end-to-end and conformance tests.)
 */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { role, zip } from './functions.ts';
import { HearthProcess } from './hearth-process.ts';

const run = promisify(execFile);
const inCi = process.env['CI'] === 'true';
const boto3Client = fileURLToPath(new URL('boto3_client.py', import.meta.url));

/** A reason to skip, or false: in CI a missing client is a failure, not a skip. */
function missing(command: string, args: readonly string[], what: string): string | false {
  const found = spawnSync(command, args, { stdio: 'ignore' }).status === 0;
  return found || inCi ? false : `${what} is not installed on this machine`;
}

let hearth: HearthProcess;
let folder: string;

before(async () => {
  hearth = await HearthProcess.start({ driver: 'process' });
  folder = await mkdtemp(join(tmpdir(), 'hearth-clients-'));
});
after(async () => {
  await hearth.stopAndRemove();
  await rm(folder, { recursive: true, force: true });
});

async function aws(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { stdout } = await run(
    'aws',
    ['lambda', ...args, '--endpoint-url', hearth.url, '--region', 'us-east-1', '--output', 'json'],
    {
      env: {
        ...process.env,
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_PAGER: '',
      },
      cwd: folder,
    },
  );
  return stdout.trim() === '' ? {} : (JSON.parse(stdout) as Record<string, unknown>);
}

test(
  'boto3 deploys, invokes, versions, tags and deletes',
  { skip: missing('python3', ['-c', 'import boto3'], 'boto3') },
  async () => {
    const { stdout } = await run('python3', [boto3Client, hearth.url]);
    assert.match(stdout, /^boto3 [\d.]+ ok$/m);
  },
);

test(
  'the AWS CLI deploys, invokes, versions, tags and deletes',
  { skip: missing('aws', ['--version'], 'the AWS CLI') },
  async () => {
    const first = await zip({ 'index.js': 'exports.handler = async (event) => ({ one: event });' });
    await writeFile(join(folder, 'one.zip'), first);
    await writeFile(
      join(folder, 'two.zip'),
      await zip({ 'index.js': "exports.handler = async () => 'two';" }),
    );
    await writeFile(join(folder, 'event.json'), '{"a":1}');
    const named = ['--function-name', 'from-cli'];
    const create = ['create-function', ...named, '--runtime', 'nodejs24.x', '--role', role];
    const created = await aws(
      ...create,
      '--handler',
      'index.handler',
      '--zip-file',
      'fileb://one.zip',
    );
    assert.equal(created['State'], 'Pending');
    await aws('wait', 'function-active-v2', ...named);

    const invoke = ['invoke', ...named, '--log-type', 'Tail', '--payload', 'file://event.json'];
    const answer = await aws(...invoke, 'out.json');
    assert.equal(answer['StatusCode'], 200);
    assert.equal(answer['ExecutedVersion'], '$LATEST');
    assert.match(
      Buffer.from(String(answer['LogResult']), 'base64').toString(),
      /^REPORT RequestId/m,
    );
    assert.deepEqual(JSON.parse(await readFile(join(folder, 'out.json'), 'utf8')), {
      one: { a: 1 },
    });

    const got = (await aws('get-function', ...named)) as { Code: { Location: string } };
    const downloaded = Buffer.from(await (await fetch(got.Code.Location)).arrayBuffer());
    const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('base64');
    assert.equal(sha256(downloaded), created['CodeSha256']);
    assert.equal(sha256(downloaded), sha256(first));

    assert.equal((await aws('publish-version', ...named))['Version'], '1');
    const update = ['update-function-code', ...named, '--zip-file', 'fileb://two.zip'];
    const dry = await aws(...update, '--dry-run');
    assert.notEqual(dry['CodeSha256'], created['CodeSha256']);
    assert.equal(
      (await aws('get-function-configuration', ...named))['CodeSha256'],
      created['CodeSha256'],
    );
    await aws(...update);
    await aws('wait', 'function-updated-v2', ...named);
    await aws('invoke', ...named, 'out.json');
    assert.equal(await readFile(join(folder, 'out.json'), 'utf8'), '"two"');
    await aws(...invoke, '--qualifier', '1', 'out.json');
    assert.equal(await readFile(join(folder, 'out.json'), 'utf8'), '{"one":{"a":1}}');

    await aws('update-function-configuration', ...named, '--timeout', '9');
    await aws('wait', 'function-updated-v2', ...named);
    assert.equal((await aws('get-function-configuration', ...named))['Timeout'], 9);
    const arn = String(created['FunctionArn']);
    await aws('tag-resource', '--resource', arn, '--tags', 'stage=test');
    assert.deepEqual(await aws('list-tags', '--resource', arn), { Tags: { stage: 'test' } });
    await aws('untag-resource', '--resource', arn, '--tag-keys', 'stage');
    assert.deepEqual(await aws('list-tags', '--resource', arn), { Tags: {} });
    const listed = (await aws('list-functions')) as { Functions: { FunctionName: string }[] };
    assert(listed.Functions.some(({ FunctionName }) => FunctionName === 'from-cli'));
    const versions = (await aws('list-versions-by-function', ...named)) as { Versions: unknown[] };
    assert.equal(versions.Versions.length, 2);
    assert('AccountLimit' in (await aws('get-account-settings')));
    await aws('delete-function', ...named);
    await assert.rejects(aws('get-function', ...named), /ResourceNotFoundException/);
  },
);
