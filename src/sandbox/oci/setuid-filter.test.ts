import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setuidFilter } from './setuid-filter.ts';
import { scratchBytes } from './traced-process.ts';
import { SANDBOX_UID } from './user.ts';

const ALLOW = 'allow';
const DONE = 'errno 0';
const REFUSED = 'errno 1';
const address = 0x1000n;

/** What the filter says to a call: the kernel's reading of its instructions. */
function verdict(number: number, ...args: readonly bigint[]): string {
  const program = setuidFilter(address);
  const data = Buffer.alloc(64);
  data.writeUInt32LE(number, 0);
  args.forEach((argument, index) => data.writeBigUInt64LE(argument, 16 + 8 * index));
  let accumulator = 0;
  for (let at = 16; ; at += 8) {
    const [code, operand] = [program.readUInt16LE(at), program.readUInt32LE(at + 4)];
    if (code === 0x20) accumulator = data.readUInt32LE(operand);
    else if (code === 0x15) at += 8 * program[at + (accumulator === operand ? 2 : 3)]!;
    else {
      assert.equal(code, 0x06);
      return operand === 0x7fff0000 ? ALLOW : `errno ${operand - 0x50000}`;
    }
  }
}

const own = BigInt(SANDBOX_UID);
const unchanged = 0xffff_ffffn;
const other = 2_000_000_993n;
const [setuid, setreuid, setresuid, setfsuid] = [105, 113, 117, 122] as const;

test('setuidFilter fits where it is written', () => {
  const program = setuidFilter(address);
  assert(program.length <= scratchBytes);
  assert.equal(program.readUInt16LE(0) * 8 + 16, program.length);
  assert.equal(program.readBigUInt64LE(8), address + 16n);
});

test('setuidFilter lets through what changes no uid', () => {
  for (const number of [0, 104, 106, 114, 119, 123]) assert.equal(verdict(number, other), ALLOW);
  for (const number of [setuid, setfsuid]) {
    for (const uid of [own, unchanged]) assert.equal(verdict(number, uid), ALLOW);
  }
});

test('setuidFilter does in place of the kernel what would give up the saved uid', () => {
  for (const one of [own, unchanged]) {
    for (const two of [own, unchanged]) {
      assert.equal(verdict(setreuid, one, two), DONE);
      for (const three of [own, unchanged]) assert.equal(verdict(setresuid, one, two, three), DONE);
    }
  }
});

test('setuidFilter refuses every other uid in every place, whatever the upper half holds', () => {
  for (const uid of [other, 0n, 992n, 994n, 0xffff_fffen]) {
    for (const value of [uid, (1n << 32n) | uid, (0xffff_ffffn << 32n) | uid]) {
      for (const number of [setuid, setfsuid]) assert.equal(verdict(number, value), REFUSED);
      for (const beside of [own, unchanged]) {
        assert.equal(verdict(setreuid, value, beside), REFUSED);
        assert.equal(verdict(setreuid, beside, value), REFUSED);
        assert.equal(verdict(setresuid, value, beside, beside), REFUSED);
        assert.equal(verdict(setresuid, beside, value, beside), REFUSED);
        assert.equal(verdict(setresuid, beside, beside, value), REFUSED);
      }
    }
  }
});
