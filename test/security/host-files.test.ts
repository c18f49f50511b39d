/** Barrier: the host's files. Nothing of the host outside /usr is visible, nor the server's data folder. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { attack, createAttacker, skip, type Attacker } from './attacker.ts';

describe('host files', { skip }, () => {
  let attacker: Attacker;
  before(async () => {
    attacker = await createAttacker();
  });
  after(() => attacker?.close());

  test('secrets and homes of the host are not there', async () => {
    const sandbox = await attacker.sandbox('files');
    const secrets = [
      '/etc/shadow',
      '/etc/gshadow',
      '/root',
      '/home',
      '/etc/ssh',
      '/etc/ssl/private',
    ];
    const places = [
      '/usr/local',
      '/srv',
      '/mnt',
      '/media',
      '/boot',
      '/run',
      '/var/lib',
      '/var/log',
    ];
    const script = [...secrets, ...places].map((path) => `ls -d ${path}`).join('; ');
    const { output } = await attack(sandbox, `${script}; echo done`);
    const lines = output.trim().split('\n');
    assert.equal(lines.pop(), 'done');
    for (const line of lines) assert.match(line, /No such file or directory/);
    assert.equal(lines.length, secrets.length + places.length);
  });

  test('the top folder is the skeleton, not the host', async () => {
    const sandbox = await attacker.sandbox('top');
    const { output } = await attack(sandbox, 'ls /; ls /var /etc; cat /etc/passwd');
    const allowed = new Set(
      'bin dev etc lib lib32 lib64 libx32 opt proc sbin sys tmp usr var'.split(' '),
    );
    const top = output.split('\n\n')[0]!.split('\n');
    const shown = top.slice(0, top.indexOf('/etc:'));
    for (const name of shown.filter(Boolean)) assert.ok(allowed.has(name), name);
    assert.match(output, /\/var:\nlang\nruntime\ntask\n/);
    assert.match(output, /sbx_user1051:x:993:990/);
    assert.equal(output.match(/:x:/g)?.length, 2, 'two users and no more');
  });

  test('the data folder and other functions are invisible, by any path', async () => {
    const victim = await attacker.sandbox('victim');
    const sandbox = await attacker.sandbox('thief');
    const { dataFolder } = attacker;
    assert.ok(existsSync(join(dataFolder, 'secret')));
    const tricks = [
      `cat ${dataFolder}/secret`,
      `cat /proc/1/root${dataFolder}/secret`,
      `cat /proc/self/root/..${dataFolder}/secret`,
      `cat /var/task/../../..${dataFolder}/secret`,
      `ls ${dirname(dataFolder)}/..${dataFolder}`,
      'ls /proc/1/cwd/',
      'cat /proc/1/environ /proc/1/maps',
      'find / -xdev -name "secret*" 2>/dev/null',
      'find / -name "secret-of-victim" 2>/dev/null',
    ];
    const { output } = await attack(sandbox, tricks.join('; '));
    assert.doesNotMatch(output, /secret of the server/);
    assert.doesNotMatch(output, /secret-of-victim/);
    const own = await attack(sandbox, 'ls /var/task');
    assert.equal(own.output, 'secret-of-thief\n');
    await victim.destroy();
  });

  test('no descriptor of the server or the runtime is inherited', async () => {
    const sandbox = await attacker.sandbox('descriptors');
    const { output } = await attack(sandbox, 'for f in /proc/$$/fd/*; do readlink $f; done');
    const targets = output.trim().split('\n');
    for (const target of targets) assert.match(target, /^(\/dev\/null|pipe:\[\d+\])$/);
    assert.equal(targets.length, 3, output);
  });

  test('a link in the code that points at the host points nowhere', async () => {
    const codeDir = join(attacker.dataFolder, 'code-links');
    const { mkdirSync, symlinkSync } = await import('node:fs');
    mkdirSync(codeDir);
    symlinkSync(join(attacker.dataFolder, 'secret'), join(codeDir, 'link'));
    symlinkSync('../../../../../../etc/shadow', join(codeDir, 'up'));
    const sandbox = await attacker.sandbox('links');
    const { output } = await attack(sandbox, 'cat /var/task/link /var/task/up');
    assert.equal(output.match(/No such file/g)?.length, 2, output);
    assert.ok(readdirSync(codeDir).includes('link'));
  });
});
