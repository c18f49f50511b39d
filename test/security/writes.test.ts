/** Barrier: writing. Only /tmp can be written; devices and set-user-id programs give nothing. */
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { attack, createAttacker, skip, type Attacker } from './attacker.ts';

describe('writes', { skip }, () => {
  let attacker: Attacker;
  before(async () => {
    attacker = await createAttacker();
  });
  after(() => attacker?.close());

  test('/tmp is the only folder that can be written', async () => {
    const sandbox = await attacker.sandbox('writer');
    const { output } = await attack(
      sandbox,
      'find / -xdev -type d -writable 2>/dev/null; find /dev /var /opt /etc /usr /sys -type d -writable 2>/dev/null',
    );
    assert.equal(output, '/tmp\n');
  });

  test('files of the root cannot be changed, removed or replaced', async () => {
    const sandbox = await attacker.sandbox('changer');
    const tricks = [
      'echo x >> /etc/passwd',
      'rm -f /etc/hosts',
      'mv /usr/bin/env /tmp/',
      'chmod 777 /usr/bin',
      'touch /bin/new',
      'mkdir /new',
      'ln -s /tmp /opt/link',
      'echo x > /var/runtime/x',
      'echo core > /proc/sys/kernel/core_pattern',
      'echo b > /proc/sysrq-trigger',
      'rm -f /dev/null',
    ];
    const { output } = await attack(
      sandbox,
      tricks.map((trick) => `(${trick}) 2>/dev/null && echo "WORKED ${trick}"`).join('; '),
    );
    assert.equal(output, '');
  });

  test('no devices but the harmless ones, and none can be made', async () => {
    const sandbox = await attacker.sandbox('devices');
    const { output } = await attack(
      sandbox,
      'find /dev -type b -o -type c | sort; mknod /tmp/disk b 7 0 && echo MADE; mknod /tmp/mem c 1 1 && echo MADE',
    );
    const devices = output.split('\n').filter((line) => line.startsWith('/dev/'));
    assert.deepEqual(
      devices,
      ['full', 'null', 'random', 'tty', 'urandom', 'zero'].map((name) => `/dev/${name}`),
    );
    assert.doesNotMatch(output, /MADE/);
    const use = await attack(sandbox, 'echo x > /dev/null && head -c 4 /dev/urandom | wc -c');
    assert.equal(use.output, '4\n');
  });

  test('a set-user-id program stays the function user', async () => {
    const sandbox = await attacker.sandbox('suid');
    const program = join(attacker.dataFolder, 'code-suid', 'id');
    copyFileSync('/usr/bin/id', program);
    chmodSync(program, 0o4755);
    const { output } = await attack(
      sandbox,
      '/var/task/id -u; cp /usr/bin/id /tmp/id; chmod 4755 /tmp/id; /tmp/id -u; su -c id; grep -E "^(Cap|NoNewPrivs|Seccomp:)" /proc/self/status',
    );
    assert.match(output, /^993\n993\n/);
    assert.doesNotMatch(output, /uid=0/);
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
      assert.match(output, new RegExp(`${set}:\\t0000000000000000`));
    }
    assert.match(output, /NoNewPrivs:\t1/);
    assert.match(output, /Seccomp:\t2/);
  });

  test('control groups are out of reach', async () => {
    const sandbox = await attacker.sandbox('groups');
    const { output } = await attack(
      sandbox,
      'ls /sys/fs/cgroup; ls -A /sys; cat /proc/self/cgroup; mount -t cgroup2 none /tmp && echo MOUNTED',
    );
    assert.match(output, /cannot access '\/sys\/fs\/cgroup'/);
    assert.doesNotMatch(output, /hearth|MOUNTED/);
  });
});
