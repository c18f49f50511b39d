/**
 * Layers through the whole program on every driver: what functions find under /opt and on which search
 * paths, in sandboxes booted in advance and in others, and that a deleted layer stays with those that
 * have it.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteFunctionCommand,
  DeleteLayerVersionCommand,
  PublishLayerVersionCommand,
  PublishVersionCommand,
  UpdateFunctionConfigurationCommand,
  type LambdaClient,
  type Runtime,
} from '@aws-sdk/client-lambda';
import { findRuntimeSearch } from '../../src/config.ts';
import { createRuntimeCatalog } from '../../src/worker/runtimes.ts';
import { deploy, invoke, settled, zip, type ZipFile } from './functions.ts';
import { drivers, HearthProcess } from './hearth-process.ts';

const catalog = createRuntimeCatalog(findRuntimeSearch()).list();
const python = catalog.find(({ id, available }) => id.startsWith('python') && available);
const pythonOptions = { skip: python === undefined && 'no Python here' };
const shell = new URL('../fixtures/functions/provided-shell/', import.meta.url);

/** Tells the value of each place, and where layers are. */
const nodeModule = `
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import value from 'colour';
const [first] = process.env.NODE_PATH.split(':');
const opt = first.replace(/\\/nodejs\\/.*$/, '');
export const handler = async ({ write = false }) => {
  const answer = {
    opt,
    imported: value,
    required: createRequire(import.meta.url)('colour'),
    file: readFileSync(opt + '/data/colour.txt', 'utf8'),
    tool: execFileSync('tool', { encoding: 'utf8' }).trim(),
    merged: ['one', 'two'].filter((name) => existsSync(opt + '/data/' + name)),
  };
  if (write) {
    try {
      writeFileSync(opt + '/data/colour.txt', 'changed');
    } catch (error) {
      answer.code = error.code;
    }
  }
  return answer;
};
`;
const pythonModule = `
import colour, wheel, subprocess
def handler(event, context):
    tool = subprocess.run(["tool"], capture_output=True, text=True).stdout.strip()
    return {"colour": colour.value, "wheel": wheel.value, "tool": tool}
`;
const libraryModule = `
import ctypes, os
def handler(event, context):
    ctypes.CDLL("libhearthlayer.so")
    return os.environ["LD_LIBRARY_PATH"].split(":")[-1]
`;

/** A layer with one value in every place that functions look at. */
function coloured(colour: string, name: string): Record<string, string | ZipFile> {
  return {
    'nodejs/node_modules/colour/index.js': `module.exports = '${colour}';`,
    'python/colour.py': `value = '${colour}'`,
    'data/colour.txt': colour,
    [`data/${name}`]: name,
    'bin/tool': { text: `#!/bin/sh\necho ${colour}\n`, mode: 0o100755 },
    [`python/lib/${python?.id}/site-packages/wheel/__init__.py`]: `value = '${colour}'`,
  };
}

async function publish(
  client: LambdaClient,
  name: string,
  files: Record<string, string | ZipFile>,
): Promise<string> {
  const published = await client.send(
    new PublishLayerVersionCommand({ LayerName: name, Content: { ZipFile: await zip(files) } }),
  );
  return published.LayerVersionArn ?? '';
}

async function setLayers(
  client: LambdaClient,
  name: string,
  Layers: string[] | undefined,
): Promise<void> {
  const change = { FunctionName: name, Layers, Description: String(Math.random()) };
  await client.send(new UpdateFunctionConfigurationCommand(change));
  await settled(client, name);
}

/** The newest file is deleted last: a sweep goes on after the answer. */
async function untilNoBlobs(dataFolder: string): Promise<void> {
  for (let attempt = 0; attempt < 1000; attempt += 1) {
    const blobs = globSync(join(dataFolder, 'blobs/??/*'));
    const trees = (await readdir(join(dataFolder, 'code'))).filter((name) => name.length === 64);
    if (blobs.length + trees.length === 0) return;
    await sleep(5);
  }
  throw new Error('code is left that nothing uses');
}

for (const driver of drivers) {
  for (const poolSize of ['0', '1']) {
    describe(`layers on the ${driver} driver with a pool of ${poolSize}`, () => {
      let hearth: HearthProcess;
      let client: LambdaClient;
      let red: string;
      let blue: string;

      before(async () => {
        hearth = await HearthProcess.start({ driver, flags: ['--pool-size', poolSize] });
        ({ client } = hearth);
        red = await publish(client, 'red', coloured('red', 'one'));
        blue = await publish(client, 'blue', coloured('blue', 'two'));
      });
      after(() => hearth.stopAndRemove());

      test('Node.js finds the last layer’s files, and all are merged', async () => {
        const files = { 'index.mjs': nodeModule };
        await deploy(client, 'node', { files, Layers: [red, blue], MemorySize: 512 });
        const told = async (qualifier?: string): Promise<Record<string, unknown>> => {
          const options = qualifier === undefined ? {} : { Qualifier: qualifier };
          const answer = await invoke(client, 'node', { write: driver === 'oci' }, options);
          assert.equal(answer.functionError, undefined, answer.text);
          return answer.result as Record<string, unknown>;
        };
        const all = (colour: string) => ({
          imported: colour,
          required: colour,
          file: colour,
          tool: colour,
          merged: ['one', 'two'],
        });
        const { opt, code, ...first } = await told();
        assert.deepEqual(first, all('blue'));
        if (driver === 'oci') {
          assert.equal(opt, '/opt');
          assert.equal(code, 'EROFS');
        }
        await client.send(new PublishVersionCommand({ FunctionName: 'node' }));
        await setLayers(client, 'node', [blue, red]);
        const latest = await told();
        assert.deepEqual(latest, { ...latest, ...all('red') });
        const frozen = await told('1');
        assert.deepEqual(frozen, { ...frozen, ...all('blue') });
      });

      test('Python imports from a layer and its site-packages', pythonOptions, async () => {
        await deploy(client, 'python', {
          files: { 'app.py': pythonModule },
          Runtime: python?.id as Runtime,
          Handler: 'app.handler',
          Layers: [red, blue],
        });
        for (const colour of ['blue', 'red']) {
          const { text, result } = await invoke(client, 'python');
          assert.deepEqual(result, { colour, wheel: colour, tool: colour }, text);
          await setLayers(client, 'python', [blue, red]);
        }
      });

      test('a shared library of a layer is found by its name', pythonOptions, async () => {
        const [library] = globSync('/{lib,usr/lib}/{*-linux-gnu,.}/libm.so.6');
        assert(library !== undefined, 'a shared library of the system, to copy');
        const layer = await publish(client, 'library', {
          'lib/libhearthlayer.so': { text: readFileSync(library), mode: 0o100755 },
        });
        await deploy(client, 'library', {
          files: { 'app.py': libraryModule },
          Runtime: python?.id as Runtime,
          Handler: 'app.handler',
          Layers: [layer],
        });
        const { functionError, text } = await invoke(client, 'library');
        assert.equal(functionError, undefined, text);
        assert.match(text, /\/lib"$/);
      });

      test('a folder for one Node.js release is found only by it', async () => {
        const layer = await publish(client, 'release', {
          'nodejs/node24/node_modules/release/index.js': `module.exports = 24;`,
          'nodejs/node18/node_modules/other/index.js': `module.exports = 18;`,
        });
        const source = `exports.handler = async () => {
          try { require('other'); } catch (error) { return [require('release'), error.code]; }
        };`;
        await deploy(client, 'release', { files: { 'index.js': source }, Layers: [layer] });
        assert.deepEqual((await invoke(client, 'release')).result, [24, 'MODULE_NOT_FOUND']);
      });

      test('a custom runtime’s bootstrap may be in a layer', async () => {
        const layer = await publish(client, 'runtime', {
          bootstrap: { text: readFileSync(new URL('bootstrap', shell)), mode: 0o100755 },
        });
        await deploy(client, 'custom', {
          Runtime: 'provided.al2023',
          Handler: 'function.handler',
          MemorySize: 1024,
          Timeout: 10,
          files: { 'function.sh': readFileSync(new URL('function.sh', shell), 'utf8') },
          Layers: [red, layer],
        });
        const answer = await invoke(client, 'custom', { n: 7 });
        assert.equal(answer.functionError, undefined, answer.text);
        assert.match(answer.text, /"n": ?7/);
      });

      test('a sixth layer is refused', async () => {
        const layers = await Promise.all(
          [1, 2, 3, 4, 5, 6].map((n) => publish(client, `many-${n}`, { [`n${n}`]: String(n) })),
        );
        const source = `const { readdirSync } = require('node:fs');
        exports.handler = async () => readdirSync(process.env.NODE_PATH.split('/nodejs/')[0]).sort();`;
        const files = { 'index.js': source };
        await assert.rejects(deploy(client, 'six', { files, Layers: layers }), {
          name: 'InvalidParameterValueException',
          message: 'Cannot reference more than 5 layers.',
        });
        await deploy(client, 'five', { files, Layers: layers.slice(0, 5) });
        const { result } = await invoke(client, 'five');
        assert.deepEqual(result, ['n1', 'n2', 'n3', 'n4', 'n5']);
        await setLayers(client, 'five', []);
        assert.deepEqual((await invoke(client, 'five')).result, []);
      });
    });
  }

  test(`a deleted layer stays with its functions on the ${driver} driver, and no longer`, async (t) => {
    const first = await HearthProcess.start({ driver });
    let last = first;
    t.after(() => last.stopAndRemove());
    let { client } = first;
    const layer = await publish(client, 'gone', {
      'nodejs/node_modules/kept/index.js': `module.exports = 'kept';`,
    });
    const source = `exports.handler = async () => require('kept');`;
    const files = { 'index.js': source };
    await deploy(client, 'keeper', { files, Layers: [layer] });
    assert.equal((await invoke(client, 'keeper')).result, 'kept');
    await client.send(new DeleteLayerVersionCommand({ LayerName: 'gone', VersionNumber: 1 }));
    await setLayers(client, 'keeper', undefined);
    const cold = await invoke(client, 'keeper');
    assert.equal(cold.result, 'kept', cold.text);
    assert.match(cold.log, /Init Duration/);
    await assert.rejects(deploy(client, 'late', { files, Layers: [layer] }), {
      name: 'InvalidParameterValueException',
      message: `Layer version ${layer} does not exist.`,
    });

    const { dataFolder } = first;
    await first.stop();
    last = await HearthProcess.start({ driver, dataFolder });
    ({ client } = last);
    assert.equal((await invoke(client, 'keeper')).result, 'kept');
    const again = await publish(client, 'gone', { other: 'content' });
    assert.match(again, /:gone:2$/);
    await client.send(new DeleteLayerVersionCommand({ LayerName: 'gone', VersionNumber: 2 }));
    await client.send(new DeleteFunctionCommand({ FunctionName: 'keeper' }));
    await untilNoBlobs(dataFolder);
  });
}
