import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import {
  chooseBlock,
  createNetwork,
  hostInterfacePrefix,
  ipv4ToNumber,
  networkRules,
  numberToIpv4,
} from './network.ts';

test('ipv4ToNumber and numberToIpv4 are inverse', () => {
  for (const address of ['0.0.0.0', '169.254.0.1', '255.255.255.255', '10.1.2.3']) {
    assert.equal(numberToIpv4(ipv4ToNumber(address)), address);
  }
});

test('hostInterfacePrefix leaves room for the number', () => {
  assert.ok(`${hostInterfacePrefix('0123abcd')}1023`.length <= 15);
});

test('chooseBlock stays in the lower half of the link-local range, away from used addresses', () => {
  for (const instanceId of ['00000000', '00000007', 'ffffffff', '1a2b3c4d']) {
    const block = chooseBlock(instanceId, []);
    assert.ok(block >= ipv4ToNumber('169.254.0.0') && block < ipv4ToNumber('169.254.128.0'));
    const next = chooseBlock(instanceId, ['192.0.2.1', numberToIpv4(block + 5)]);
    assert.notEqual(next, block);
    assert.ok(next >= ipv4ToNumber('169.254.0.0') && next < ipv4ToNumber('169.254.128.0'));
  }
});

test('networkRules name only the instance', () => {
  const rules = networkRules('0123abcd', ipv4ToNumber('169.254.16.0'));
  assert.match(rules, /table inet hearth_0123abcd \{/);
  assert.match(rules, /iifname "h0123abcd-\*" drop/);
  assert.match(rules, /ip saddr 169\.254\.16\.0\/20 .*masquerade/);
});

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;

test(
  'an address is given again though a file somewhere holds its last network',
  { skip: !isRoot },
  async () => {
    const subnets = 6;
    const network = await createNetwork(systemClock, silentLog, 'ffff0001', subnets);
    const held: number[] = [];
    try {
      assert.deepEqual(network.notices, []);
      for (let round = 0; round < 3 * subnets; round += 1) {
        const one = await network.acquire();
        assert(one.address !== null, `round ${round}`);
        held.push(openSync(one.path, 'r'));
        network.release(one);
      }
    } finally {
      for (const fd of held) closeSync(fd);
      await network.close();
    }
  },
);
