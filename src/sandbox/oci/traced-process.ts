/**
 * Makes a stopped process of a sandbox do system calls of the server's choice, one by one, by ptrace (x86-64
 * Linux). Its memory is the function's, perhaps shared with processes that run, so what its program does
 * between two stops cannot be foreseen. But it does no other call than what was asked for: each is stopped at
 * its entry and compared, and only when the process is stopped there is its filter suspended. The server
 * goes on with other things meanwhile, and when it dies, so does the process.
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { delay, type Clock } from '../../base/clock.ts';
import { pollTracee, ptrace } from '../native.ts';

const PTRACE_GETREGS = 12;
const PTRACE_SETREGS = 13;
const PTRACE_DETACH = 17;
const PTRACE_SYSCALL = 24;
const PTRACE_SETOPTIONS = 0x4200;
const PTRACE_SEIZE = 0x4206;
const PTRACE_INTERRUPT = 0x4207;
const PTRACE_GET_SYSCALL_INFO = 0x420e;
const OPTIONS =
  0x1 | // PTRACE_O_TRACESYSGOOD
  0x10_0000; // PTRACE_O_EXITKILL
const PTRACE_O_SUSPEND_SECCOMP = 0x20_0000;

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
/** Status words: stopped by PTRACE_INTERRUPT, and at the entry or exit of a system call. */
const INTERRUPTED = 0x80_057f;
const AT_SYSCALL = 0x857f;
const NO_SYSCALL = 0xffff_ffff_ffff_ffffn;

/** struct ptrace_syscall_info: where its members are, and what they must be. */
const INFO_BYTES = 88;
const info = { kind: 0, architecture: 4, numberOrResult: 24, args: 32 } as const;
const ENTRY = 1;
const EXIT = 2;
/** Not the 32-bit calls, which are other ones under the same numbers. */
const AUDIT_ARCH_X86_64 = 0xc000_003e;

/** Below what the interrupted program may use of its stack without moving the pointer. */
const SCRATCH_BELOW = 1024n;
export const scratchBytes = 256;

/** All that a process is made to do takes some milliseconds, but more on a host whose CPUs are all busy. */
export const traceMsMax = 5_000;
/** From one stop to the next. */
export const stopMsMax = 1_000;
/** From then on a stop is looked for once in a millisecond, not at every turn of the event loop. */
const EAGER_MS = 5;

/** The process did something else than what it was told to. */
export class TraceError extends Error {
  override readonly name = 'TraceError';
}

export class TracedProcess {
  readonly #clock: Clock;
  readonly #pid: number;
  readonly #startedAtMs: number;
  #resumedAtMs: number;
  readonly #saved = Buffer.alloc(REGISTERS_BYTES);
  readonly #scratchBefore = Buffer.alloc(scratchBytes);
  #memory: number | null = null;

  private constructor(clock: Clock, pid: number) {
    this.#clock = clock;
    this.#pid = pid;
    this.#startedAtMs = clock.monotonicMs();
    this.#resumedAtMs = this.#startedAtMs;
  }

  /**
   * Stops a process that waits in a system call; not a child of child_process, which would take its stops
   * for its end. Rejects with NativeError when it cannot be traced, else with TraceError, and has killed it.
   * `isMeant` says whether the number is still that of the process that is meant; another one goes on as it was.
   */
  static async stop(
    clock: Clock,
    pid: number,
    isMeant: () => boolean = () => true,
  ): Promise<TracedProcess> {
    if (!isMeant()) throw new TraceError('it has ended');
    ptrace(PTRACE_SEIZE, pid, 0n, BigInt(OPTIONS));
    const traced = new TracedProcess(clock, pid);
    // A number that has ended may be given away again, but not once it is traced.
    if (!isMeant()) {
      await traced.#leave();
      throw new TraceError('it has ended');
    }
    try {
      await traced.#stop();
      return traced;
    } catch (error) {
      await traced.end();
      throw error;
    }
  }

  async #stop(): Promise<void> {
    ptrace(PTRACE_INTERRUPT, this.#pid, 0n, 0n);
    await this.#until(INTERRUPTED);
    // Not before: what runs would be without its filter.
    const options = BigInt(OPTIONS | PTRACE_O_SUSPEND_SECCOMP);
    ptrace(PTRACE_SETOPTIONS, this.#pid, 0n, options);
    ptrace(PTRACE_GETREGS, this.#pid, 0n, this.#saved);
    this.#memory = openSync(`/proc/${this.#pid}/mem`, 'r+');
    const instruction = Buffer.alloc(syscallInstruction.length);
    readSync(this.#memory, instruction, 0, instruction.length, this.#instructionAt);
    if (!instruction.equals(syscallInstruction)) throw new TraceError('not in a system call');
    readSync(this.#memory, this.#scratchBefore, 0, scratchBytes, this.scratch);
  }

  /** Of a process that is somebody else's. */
  async #leave(): Promise<void> {
    ptrace(PTRACE_INTERRUPT, this.#pid, 0n, 0n);
    await this.#until(INTERRUPTED);
    ptrace(PTRACE_DETACH, this.#pid, 0n, 0n);
  }

  /** Where `writeScratch` writes, as the process sees it. */
  get scratch(): bigint {
    return (at(this.#saved, stackPointer) - SCRATCH_BELOW) & ~15n;
  }

  get #instructionAt(): bigint {
    return at(this.#saved, instructionPointer) - BigInt(syscallInstruction.length);
  }

  /** At most `scratchBytes`; overwritten by the next call. The process may change what it reads. */
  writeScratch(bytes: Buffer): void {
    writeSync(this.#memory!, bytes, 0, bytes.length, Number(this.scratch));
  }

  /** The call's result; a negative one is an errno. */
  async call(number: number, ...args: readonly (number | bigint)[]): Promise<bigint> {
    const values = args.map((value) => BigInt.asUintN(64, BigInt(value)));
    const registers = Buffer.from(this.#saved);
    put(registers, instructionPointer, this.#instructionAt);
    put(registers, register.rax, BigInt(number));
    put(registers, register.origRax, NO_SYSCALL);
    values.forEach((value, index) => put(registers, argumentRegisters[index]!, value));
    ptrace(PTRACE_SETREGS, this.#pid, 0n, registers);
    const entered = await this.#step(ENTRY);
    const isAsAsked =
      entered.readBigUInt64LE(info.numberOrResult) === BigInt(number) &&
      values.every((value, index) => entered.readBigUInt64LE(info.args + index * 8) === value);
    if (!isAsAsked) throw new TraceError(`another system call than ${number}`);
    return (await this.#step(EXIT)).readBigInt64LE(info.numberOrResult);
  }

  /** To the entry of a system call or from there to its exit. */
  async #step(kind: typeof ENTRY | typeof EXIT): Promise<Buffer> {
    ptrace(PTRACE_SYSCALL, this.#pid, 0n, 0n);
    await this.#until(AT_SYSCALL);
    const found = Buffer.alloc(INFO_BYTES);
    ptrace(PTRACE_GET_SYSCALL_INFO, this.#pid, BigInt(found.length), found);
    const isOfKind = found[info.kind] === kind;
    if (isOfKind && found.readUInt32LE(info.architecture) === AUDIT_ARCH_X86_64) return found;
    throw new TraceError('another system call than one of x86-64');
  }

  /** It may run for as long as it likes, or be where no signal gets to it. */
  async #until(wanted: number): Promise<void> {
    this.#resumedAtMs = this.#clock.monotonicMs();
    for (;;) {
      const status = pollTracee(this.#pid);
      if (status === wanted) return;
      if (status !== null) throw new TraceError(`status ${status} instead of ${wanted}`);
      await this.#pause();
      const elapsedMs = this.#clock.monotonicMs() - this.#startedAtMs;
      if (this.#runningMs >= stopMsMax || elapsedMs >= traceMsMax) {
        throw new TraceError('it does not stop');
      }
    }
  }

  get #runningMs(): number {
    return this.#clock.monotonicMs() - this.#resumedAtMs;
  }

  #pause(): Promise<void> {
    const isEager = this.#runningMs < EAGER_MS;
    return isEager ? new Promise((resolve) => setImmediate(resolve)) : delay(this.#clock, 1);
  }

  /** Lets it go on where it was stopped, with its filter. */
  release(): void {
    this.writeScratch(this.#scratchBefore);
    ptrace(PTRACE_SETREGS, this.#pid, 0n, this.#saved);
    ptrace(PTRACE_DETACH, this.#pid, 0n, 0n);
    this.#forget();
  }

  /** Kills it; resolves when it has ended, which its tracer has to wait for. */
  async end(): Promise<void> {
    this.#forget();
    try {
      process.kill(this.#pid, 'SIGKILL');
      for (;;) {
        const status = pollTracee(this.#pid);
        if (status !== null && (status & 0xff) !== 0x7f) return;
        if (status === null) await this.#pause(); // else stopped once more on its way out
      }
    } catch {
      // It is not there any more.
    }
  }

  #forget(): void {
    if (this.#memory !== null) closeSync(this.#memory);
    this.#memory = null;
  }
}

function at(registers: Buffer, index: number): bigint {
  return registers.readBigUInt64LE(index * 8);
}

function put(registers: Buffer, index: number, value: bigint): void {
  registers.writeBigUInt64LE(BigInt.asUintN(64, value), index * 8);
}
