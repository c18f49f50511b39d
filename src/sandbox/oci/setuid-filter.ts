/**
 * A second system call filter, for processes that keep another uid as their saved one (copy-owner.ts): none of
 * the calls that change uids can be used to take it. The OCI runtime's filters cannot say "anything but", so
 * this one is in the kernel's own form, classic BPF over struct seccomp_data (x86-64; other tables are the
 * first filter's to refuse).
 */
import { SANDBOX_UID } from './user.ts';

const LOAD = 0x20; // BPF_LD | BPF_W | BPF_ABS
const JUMP_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const RETURN = 0x06; // BPF_RET | BPF_K
const ALLOW = 0x7fff_0000;
const ERRNO = 0x0005_0000;
const EPERM = 1;

const UNCHANGED = 0xffff_ffff;
const calls = { setuid: 105, setreuid: 113, setresuid: 117, setfsuid: 122 } as const;

/** A label, or an instruction: a jump goes to its label, further down, if equal, else to the next one. */
type Line = string | readonly [code: number, operand: number, ifEqual?: string];

/** Low halves of the arguments, all that the kernel looks at in a uid. */
const loadNumber: Line = [LOAD, 0];
const loadArgument = (index: number): Line => [LOAD, 16 + 8 * index];

/** Goes on at `next` when the argument is the sandboxes' own uid or -1. */
const requireOwn = (index: number, next: string): readonly Line[] => [
  loadArgument(index),
  [JUMP_EQUAL, SANDBOX_UID, next],
  [JUMP_EQUAL, UNCHANGED, next],
  [RETURN, ERRNO | EPERM],
];

const program: readonly Line[] = [
  loadNumber,
  [JUMP_EQUAL, calls.setuid, 'one'],
  [JUMP_EQUAL, calls.setfsuid, 'one'],
  [JUMP_EQUAL, calls.setreuid, 'two'],
  [JUMP_EQUAL, calls.setresuid, 'three'],
  [RETURN, ALLOW],
  // These two leave the saved uid as it is.
  'one',
  ...requireOwn(0, 'allow'),
  // These would make the saved uid the own one, too, which is all that programs see: said to be done.
  'three',
  ...requireOwn(2, 'two'),
  'two',
  ...requireOwn(1, 'last'),
  'last',
  ...requireOwn(0, 'done'),
  'done',
  [RETURN, ERRNO],
  'allow',
  [RETURN, ALLOW],
];

const INSTRUCTION_BYTES = 8;
/** struct sock_fprog on 64-bit Linux: the number of instructions, then where they are. */
const HEADER_BYTES = 16;

/** struct sock_fprog and the instructions behind it, to lie at `address`. */
export function setuidFilter(address: bigint): Buffer {
  const labels = new Map<string, number>();
  const instructions: Exclude<Line, string>[] = [];
  for (const line of program) {
    if (typeof line === 'string') labels.set(line, instructions.length);
    else instructions.push(line);
  }
  const bytes = Buffer.alloc(HEADER_BYTES + instructions.length * INSTRUCTION_BYTES);
  bytes.writeUInt16LE(instructions.length, 0);
  bytes.writeBigUInt64LE(address + BigInt(HEADER_BYTES), 8);
  instructions.forEach(([code, operand, ifEqual], index) => {
    const at = HEADER_BYTES + index * INSTRUCTION_BYTES;
    bytes.writeUInt16LE(code, at);
    if (ifEqual !== undefined) bytes.writeUInt8(labels.get(ifEqual)! - index - 1, at + 2);
    bytes.writeUInt32LE(operand, at + 4);
  });
  return bytes;
}
