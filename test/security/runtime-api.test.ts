/** Barrier: other environments' Runtime APIs, and anything else that listens in another sandbox. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import {
  attack,
  attackWithNode,
  connectScript,
  createAttacker,
  skip,
  startNode,
  type Attacker,
} from './attacker.ts';

describe('Runtime API of another environment', { skip }, () => {
  let attacker: Attacker;
  before(async () => {
    attacker = await createAttacker();
  });
  after(() => attacker?.close());

  test('each sandbox finds its own server at the same address', async () => {
    const ids = ['first', 'second', 'third'];
    const outputs = await Promise.all(
      ids.map(async (id) => {
        const sandbox = await attacker.sandbox(id);
        const address = await sandbox.serve(createServer((_, response) => response.end(id)));
        const script = `fetch('http://${address}/').then((r) => r.text()).then(console.log)`;
        return (await attackWithNode(sandbox, script)).output;
      }),
    );
    assert.deepEqual(
      outputs,
      ids.map((id) => `${id}\n`),
    );
  });

  test('a sandbox without a server finds none', async () => {
    const sandbox = await attacker.sandbox('none');
    const { output } = await attackWithNode(sandbox, connectScript([['127.0.0.1', 9001]]));
    assert.equal(output, 'ECONNREFUSED\n');
  });

  test("what listens on another sandbox's addresses is out of reach", async () => {
    const victim = await attacker.sandbox('victim');
    await victim.serve(createServer((_, response) => response.end('reached')));
    const script = `require('node:http').createServer().listen(8080, '0.0.0.0', () => console.log('up'))`;
    const running = await startNode(victim, script);
    await once(running.output, 'data');
    const shown = await attack(await attacker.sandbox('look'), 'ip -4 -o addr show eth0');
    const own = /inet ([\d.]+)\//.exec(shown.output)?.[1];
    assert.ok(own !== undefined, shown.output);
    // The sandboxes' addresses are close together: try all around one of ours.
    const [a, b, c, d] = own.split('.').map(Number) as [number, number, number, number];
    const targets: [string, number][] = [];
    for (let offset = -24; offset <= 24; offset += 1) {
      const last = d + offset;
      if (last < 0 || last > 255) continue;
      for (const port of [8080, 9001]) targets.push([`${a}.${b}.${c}.${last}`, port]);
    }
    const sandbox = await attacker.sandbox('caller');
    const { output } = await attackWithNode(sandbox, connectScript(targets));
    assert.doesNotMatch(output, /CONNECTED/);
    await running.kill();
  });
});
