import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { CgroupsV1 } from './cgroups-v1.ts';
import { CgroupsV2 } from './cgroups-v2.ts';
import { CPU_PERIOD_US, cpuQuotaUs, cpuShares, cpuWeight } from './cgroups.ts';
import { cgroupMounts } from './find-cgroups.ts';

test('cpuQuotaUs rounds, has a floor, and passes on no limit', () => {
  assert.equal(cpuQuotaUs(1), CPU_PERIOD_US);
  assert.equal(cpuQuotaUs(128 / 1769), 7236);
  assert.equal(cpuQuotaUs(0.0001), 1000);
  assert.equal(cpuQuotaUs(null), null);
});

test('the weight of a group goes with its memory, in the unit of either version', () => {
  assert.equal(cpuShares(128), 74);
  assert.equal(cpuShares(10_240), 5928);
  assert.equal(cpuWeight(128), 7);
  assert.equal(cpuWeight(10_240), 579);
});

test('cgroupMounts tells the versions apart', () => {
  const hybrid = [
    '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct',
    '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory',
    '40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime shared:9 - cgroup cgroup rw,name=systemd',
    '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw',
    '27 1 254:0 / / rw,relatime - ext4 /dev/vda rw',
  ].join('\n');
  const { v1, v2, all } = cgroupMounts(hybrid);
  assert.equal(v1.get('cpu'), '/sys/fs/cgroup/cpu,cpuacct');
  assert.equal(v1.get('memory'), '/sys/fs/cgroup/memory');
  assert.equal(v2, '/sys/fs/cgroup/unified');
  assert.equal(all.length, 4);
  const unified = '30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate';
  assert.deepEqual(cgroupMounts(unified), {
    v1: new Map(),
    v2: '/sys/fs/cgroup',
    all: ['/sys/fs/cgroup'],
  });
});

/** A folder with plain files stands in for the kernel's: it shows what is written where. */
describe('control groups over plain files', () => {
  let root = '';
  const put = (path: string, text = ''): void => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const get = (path: string): string => readFileSync(join(root, path), 'utf8');

  before(() => {
    root = mkdtempSync(join(tmpdir(), 'hearth-cgroups-'));
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  test('version 2 writes the unified files', async () => {
    const names = ['memory.max', 'memory.swap.max', 'cpu.max', 'cpu.weight', 'cgroup.freeze'];
    for (const name of names) put(`hearth-x/c.1/${name}`);
    put(
      'hearth-x/c.1/memory.events',
      'low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n',
    );
    put('hearth-x/c.1/cgroup.procs', '41\n42\n');
    const groups = new CgroupsV2(systemClock, root, 'hearth-x');
    assert.equal(groups.containerPath('c.1'), '/hearth-x/c.1');
    groups.setMemoryLimit('c.1', 134217728);
    assert.equal(get('hearth-x/c.1/memory.max'), '134217728');
    assert.equal(get('hearth-x/c.1/memory.swap.max'), '0');
    groups.setCpus('c.1', 0.5);
    assert.equal(get('hearth-x/c.1/cpu.max'), '50000 100000');
    groups.setCpuWeight('c.1', 1769);
    assert.equal(get('hearth-x/c.1/cpu.weight'), '100');
    groups.freeze('c.1');
    assert.equal(get('hearth-x/c.1/cgroup.freeze'), '1');
    groups.thaw('c.1');
    assert.equal(get('hearth-x/c.1/cgroup.freeze'), '0');
    assert.equal(groups.oomKills('c.1'), 2);
    assert.deepEqual(groups.processes('c.1'), [41, 42]);
    assert.deepEqual(groups.containers(), ['c.1']);
    mkdirSync(join(root, 'hearth-x/c.2'));
    assert.equal(await groups.remove('c.2'), 1);
    assert.equal(await groups.remove('c.2'), 0);
  });

  test('version 2 without a CPU limit writes max', () => {
    put('hearth-y/c/cpu.max');
    new CgroupsV2(systemClock, root, 'hearth-y').setCpus('c', null);
    assert.equal(get('hearth-y/c/cpu.max'), 'max 100000');
  });

  test('version 1 writes a tree per controller', () => {
    for (const path of [
      'memory/hearth-x/c/memory.limit_in_bytes',
      'memory/hearth-x/c/memory.memsw.limit_in_bytes',
      'cpu/hearth-x/c/cpu.cfs_quota_us',
      'cpu/hearth-x/c/cpu.cfs_period_us',
      'cpu/hearth-x/c/cpu.shares',
      'freezer/hearth-x/c/freezer.state',
    ]) {
      put(path);
    }
    put('memory/hearth-x/c/memory.oom_control', 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n');
    const names = ['memory', 'cpu', 'freezer'];
    const controllers = new Map(names.map((name) => [name, join(root, name)]));
    const groups = new CgroupsV1(systemClock, controllers, [...controllers.values()], 'hearth-x');
    groups.setMemoryLimit('c', 1048576);
    groups.setCpus('c', null);
    groups.setCpuWeight('c', 1769);
    groups.freeze('c');
    assert.equal(get('memory/hearth-x/c/memory.limit_in_bytes'), '1048576');
    assert.equal(get('memory/hearth-x/c/memory.memsw.limit_in_bytes'), '1048576');
    assert.equal(get('cpu/hearth-x/c/cpu.cfs_quota_us'), '-1');
    assert.equal(get('cpu/hearth-x/c/cpu.shares'), '1024');
    assert.equal(get('freezer/hearth-x/c/freezer.state'), 'FROZEN');
    assert.equal(groups.oomKills('c'), 1);
    assert.deepEqual(groups.containers(), ['c']);
  });

  test('what has gone is no error', () => {
    const groups = new CgroupsV2(systemClock, root, 'hearth-none');
    groups.freeze('c');
    groups.setMemoryLimit('c', 1);
    assert.deepEqual(groups.processes('c'), []);
    assert.equal(groups.oomKills('c'), 0);
    assert.deepEqual(groups.containers(), []);
  });
});
