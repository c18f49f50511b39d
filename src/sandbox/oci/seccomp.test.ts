import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seccompProfile } from './seccomp.ts';

test('seccompProfile lists no call as both allowed and refused, and none twice', () => {
  const { syscalls } = seccompProfile('x64');
  const unconditional = syscalls.filter(({ args }) => args === undefined || args.length === 0);
  const names = unconditional.flatMap((rule) => rule.names);
  assert.deepEqual(
    names.filter((name, index) => names.indexOf(name) !== index),
    [],
  );
  for (const name of names) assert.match(name, /^[a-z0-9_]+$/);
});

test('seccompProfile never allows what must stay out', () => {
  const allowed = seccompProfile('x64')
    .syscalls.filter(({ action }) => action === 'SCMP_ACT_ALLOW')
    .flatMap((rule) => rule.names);
  for (const name of [
    'mount',
    'ptrace',
    'bpf',
    'keyctl',
    'unshare',
    'setns',
    'userfaultfd',
    'clone3',
    'io_uring_setup',
  ]) {
    assert.ok(!allowed.includes(name), name);
  }
});

test('seccompProfile knows the native architecture only', () => {
  assert.deepEqual(seccompProfile('arm64').architectures, ['SCMP_ARCH_AARCH64']);
  assert.deepEqual(seccompProfile('x64').architectures, ['SCMP_ARCH_X86_64']);
});
