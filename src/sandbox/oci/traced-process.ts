/**
 * Makes a stopped process of a sandbox do system calls of the server's choice, one by one, by ptrace (x86-64
 * Linux). The process's filter is suspended for these calls alone, and not one instruction of its program
 * runs between them: each step goes from one system call's entry to its exit, and what is about to be
 * executed is compared with what was asked for. When the server dies meanwhile, so does the process.
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { ptrace, waitForTracee } from '../native.ts';

const PTRACE_GETREGS = 12;
const PTRACE_SETREGS = 13;
const PTRACE_DETACH = 17;
const PTRACE_SYSCALL = 24;
const PTRACE_SEIZE = 0x4206;
const PTRACE_INTERRUPT = 0x4207;
const OPTIONS =
  0x1 | // PTRACE_O_TRACESYSGOOD
  0x10_0000 | // PTRACE_O_EXITKILL
  0x20_0000; // PTRACE_O_SUSPEND_SECCOMP

/** struct user_regs_struct: 27 registers of 8 bytes. */
const REGISTERS_BYTES = 27 * 8;
const register = { r10: 7, r9: 8, r8: 9, rax: 10, rdx: 12, rsi: 13, rdi: 14, origRax: 15 } as const;
const instructionPointer = 16;
const stackPointer = 19;
const argumentRegisters = [
  register.rdi,
  register.rsi,
  register.rdx,
  register.r10,
  register.r8,
  register.r9,
] as const;

const syscallInstruction = Buffer.from([0x0f, 0x05]);
const SYSCALL_STOP = 0x85;
const NO_SYSCALL = 0xffff_ffff_ffff_ffffn;
/** Below what the interrupted program may use of its stack without moving the pointer. */
const SCRATCH_BELOW = 1024n;
export const scratchBytes = 256;

/** The process did something else than what it was told to. */
export class TraceError extends Error {
  override readonly name = 'TraceError';
}

export class TracedProcess {
  readonly #pid: number;
  readonly #saved: Buffer;
  readonly #memory: number;
  /** Where `writeScratch` writes, as the process sees it. */
  readonly scratch: bigint;
  readonly #scratchBefore = Buffer.alloc(scratchBytes);

  private constructor(pid: number, saved: Buffer, memory: number) {
    this.#pid = pid;
    this.#saved = saved;
    this.#memory = memory;
    this.scratch = (at(saved, stackPointer) - SCRATCH_BELOW) & ~15n;
    readSync(memory, this.#scratchBefore, 0, scratchBytes, this.scratch);
  }

  /** Stops a process that waits in a system call. Throws NativeError or TraceError; it must be killed then. */
  static stop(pid: number): TracedProcess {
    ptrace(PTRACE_SEIZE, pid, 0n, BigInt(OPTIONS));
    ptrace(PTRACE_INTERRUPT, pid, 0n, 0n);
    waitForTracee(pid);
    const saved = Buffer.alloc(REGISTERS_BYTES);
    ptrace(PTRACE_GETREGS, pid, 0n, saved);
    const memory = openSync(`/proc/${pid}/mem`, 'r+');
    const instruction = Buffer.alloc(syscallInstruction.length);
    readSync(memory, instruction, 0, instruction.length, at(saved, instructionPointer) - 2n);
    if (instruction.equals(syscallInstruction)) return new TracedProcess(pid, saved, memory);
    closeSync(memory);
    throw new TraceError('not in a system call');
  }

  /** At most `scratchBytes`; overwritten by the next call. */
  writeScratch(bytes: Buffer): void {
    writeSync(this.#memory, bytes, 0, bytes.length, Number(this.scratch));
  }

  /** The call's result; a negative one is an errno. */
  call(number: number, ...args: readonly (number | bigint)[]): bigint {
    const registers = Buffer.from(this.#saved);
    put(registers, instructionPointer, at(this.#saved, instructionPointer) - 2n);
    put(registers, register.rax, BigInt(number));
    put(registers, register.origRax, NO_SYSCALL);
    args.forEach((value, index) => put(registers, argumentRegisters[index]!, BigInt(value)));
    ptrace(PTRACE_SETREGS, this.#pid, 0n, registers);
    this.#step();
    const entered = this.#registers();
    const isAsAsked =
      at(entered, register.origRax) === BigInt(number) &&
      args.every((_, index) => {
        const name = argumentRegisters[index]!;
        return at(entered, name) === at(registers, name);
      });
    if (!isAsAsked) throw new TraceError(`another system call than ${number}`);
    this.#step();
    return BigInt.asIntN(64, at(this.#registers(), register.rax));
  }

  #step(): void {
    ptrace(PTRACE_SYSCALL, this.#pid, 0n, 0n);
    const status = waitForTracee(this.#pid);
    const isStop = (status & 0xff) === 0x7f && ((status >> 8) & 0xff) === SYSCALL_STOP;
    if (!isStop) throw new TraceError(`status ${status} in a system call`);
  }

  #registers(): Buffer {
    const registers = Buffer.alloc(REGISTERS_BYTES);
    ptrace(PTRACE_GETREGS, this.#pid, 0n, registers);
    return registers;
  }

  /** Lets it go on where it was stopped. */
  release(): void {
    this.writeScratch(this.#scratchBefore);
    ptrace(PTRACE_SETREGS, this.#pid, 0n, this.#saved);
    ptrace(PTRACE_DETACH, this.#pid, 0n, 0n);
    this.forget();
  }

  /** Closes what was opened here, once it was released or ended. */
  forget(): void {
    closeSync(this.#memory);
  }
}

/** Kills a process that may be traced, and waits for that: as its tracer, who has to. */
export function endTraced(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
    while ((waitForTracee(pid) & 0xff) === 0x7f); // stopped once more on its way out
  } catch {
    // It is not traced, or not there any more.
  }
}

function at(registers: Buffer, index: number): bigint {
  return registers.readBigUInt64LE(index * 8);
}

function put(registers: Buffer, index: number, value: bigint): void {
  registers.writeBigUInt64LE(BigInt.asUintN(64, value), index * 8);
}
