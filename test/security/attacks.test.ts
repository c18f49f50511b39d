/**
 * Attack functions on a whole server: each is contained, is answered as documented, and meanwhile every
 * invoke of a neighbour is answered right. How much slower those are, `make bench ONLY=neighbours` says.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { deploy, invoke } from '../e2e/functions.ts';
import { HearthProcess } from '../e2e/hearth-process.ts';
import { hostTraces } from '../e2e/host-traces.ts';
import {
  ATTACK_TIMEOUT_SECONDS,
  attackFile,
  attacks,
  type Attack,
} from '../fixtures/attacks/attacks.ts';
import { skip } from './attacker.ts';

/** Of the server, whatever the functions do: it keeps the last kilobytes of a log, not all of it. */
const SERVER_RSS_MB_MAX = 400;
const ATTACK_MS = 1500;

const runtimes = { node: 'nodejs24.x', python: 'python3.11', custom: 'provided.al2023' } as const;

describe('attack functions', { skip }, () => {
  let hearth: HearthProcess;
  before(async () => {
    hearth = await HearthProcess.start({ driver: 'oci', flags: ['--memory-budget-mb', '40000'] });
    const files = { 'index.mjs': 'export const handler = async (event) => event;' };
    await deploy(hearth.client, 'neighbour', { MemorySize: 1769, Timeout: 30, files });
  });
  after(() => hearth?.stopAndRemove());

  /** One invoke after the other until `done`; resolves with how many there were. */
  async function invokeNeighbour(done: Promise<unknown>): Promise<number> {
    let isDone = false;
    void done.finally(() => (isDone = true));
    let count = 0;
    while (!isDone) {
      count += 1;
      const { text, functionError } = await invoke(hearth.client, 'neighbour', { count });
      assert.equal(functionError, undefined, text);
      assert.equal(text, JSON.stringify({ count }));
    }
    return count;
  }

  async function deployAttack(attack: Attack): Promise<void> {
    const { file, mode, code } = await attackFile(attack);
    await deploy(hearth.client, attack.name, {
      Runtime: runtimes[attack.language],
      MemorySize: attack.memoryMb,
      Timeout: ATTACK_TIMEOUT_SECONDS,
      files: { [file]: { text: code, mode } },
    });
  }

  for (const attack of attacks) {
    test(`${attack.name} is held in by: ${attack.wall}`, async () => {
      await deployAttack(attack);
      const attacking = invoke(hearth.client, attack.name, { ms: ATTACK_MS });
      const answered = await invokeNeighbour(attacking);
      assert.ok(answered > 0);
      const { status, text } = await attacking;
      assert.equal(status, 200);
      assert.match(text, attack.answer);
      const procStatus = readFileSync(`/proc/${hearth.pid}/status`, 'utf8');
      const rssMb = Number(/^VmRSS:\s+(\d+)/m.exec(procStatus)?.[1]) / 1024;
      assert.ok(rssMb < SERVER_RSS_MB_MAX, `the server has ${rssMb} MB`);
    });
  }

  test('the server ends in order afterwards and leaves nothing', async () => {
    assert.equal(await hearth.stop(), 0);
    assert.deepEqual(hostTraces(hearth.dataFolder), []);
    await rm(hearth.dataFolder, { recursive: true, force: true });
  });
});
