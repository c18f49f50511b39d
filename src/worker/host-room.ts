/**
 * Room on the host: memory and a number of environments, the templates that SnapStart's are copied from
 * among them. Who finds none waits in a fair queue, until room or an idle environment of the wanted tenancy
 * becomes free; what is idle makes way. What is kept in advance, bound to no function, has only the memory
 * that environments leave.
 */
import type { Clock, Timer } from '../base/clock.ts';
import { deferred, type Deferred } from '../base/deferred.ts';
import type { HostMetrics } from '../telemetry/metric-sources.ts';
import { FairQueue } from './fair-queue.ts';
import type { IdleEnvironments } from './idle-environments.ts';
import type { MakesWay } from './makes-way.ts';
import type { Resident } from './resident.ts';
import type { Tenancy } from './tenancy.ts';

export interface RoomOptions {
  /** Sum of the memory sizes of all environments that are bound to a function, and of templates. */
  readonly memoryBudgetMb: number;
  /** Environments and templates at once, whatever their size. */
  readonly environmentsMax: number;
  /** Callers that may wait for room. */
  readonly waitersMax: number;
  /** How long one of them waits. */
  readonly waitMsMax: number;
}

export type RoomMetrics = Omit<HostMetrics, 'environments' | 'booted'>;

/** An environment, warm or in room of its own, or room for a new one and nothing else. */
export type Wanted = 'environment' | 'room';

/** What a caller got: a warm environment, room for a new one, or neither in time. */
export type Grant = Resident | 'room' | 'none';

interface Waiter {
  readonly tenancy: Tenancy;
  readonly wants: Wanted;
  readonly granted: Deferred<Grant>;
  readonly timer: Timer;
}

export class HostRoom {
  readonly #clock: Clock;
  readonly #idle: IdleEnvironments;
  readonly #options: RoomOptions;
  readonly #makeWay: MakesWay[];
  /** Functions take turns. */
  readonly #waiters: FairQueue<Waiter>;
  /** They want room that none of those waits for. */
  #patient: Waiter[] = [];
  #memoryUsedMb = 0;
  /** Of what is kept in advance. */
  #spareMemoryMb = 0;
  /** Environments that hold room: being made, there, or being stopped. */
  #environmentCount = 0;
  /** Environments that are being stopped: their room will be free. */
  #leavingCount = 0;
  #closed = false;

  constructor(clock: Clock, idle: IdleEnvironments, options: RoomOptions) {
    this.#clock = clock;
    this.#idle = idle;
    this.#options = options;
    this.#makeWay = [idle];
    this.#waiters = new FairQueue(options.waitersMax);
  }

  /** These, too, make way when they are idle. */
  alsoMakesWay(others: MakesWay): void {
    this.#makeWay.push(others);
  }

  /** A warm environment or room for a new one; waits for it when there is neither now. */
  async ask(tenancy: Tenancy, wants: Wanted): Promise<Grant> {
    return this.#grantAtOnce(tenancy, wants) ?? (await this.#wait(tenancy, wants));
  }

  /**
   * Room for what no caller waits for: holds up nobody, and what is idle makes way only where that is enough.
   * @param unwanted resolves when waiting is of no more use
   */
  askPatiently(tenancy: Tenancy, unwanted: Promise<void>): Promise<Grant> {
    const { waitMsMax, waitersMax } = this.#options;
    if (this.#closed || this.#patient.length >= waitersMax) return Promise.resolve('none');
    const granted = deferred<Grant>();
    const giveUp = (): void => {
      this.#patient = this.#patient.filter((other) => other !== waiter);
      answer(waiter, 'none');
    };
    const timer = this.#clock.schedule(waitMsMax, giveUp);
    const waiter: Waiter = { tenancy, wants: 'room', granted, timer };
    void unwanted.then(giveUp);
    this.#patient.push(waiter);
    this.serve();
    return granted.promise;
  }

  /** Room that nobody waits for and nothing has to make way for. */
  takeUnclaimed(memoryMb: number): boolean {
    return this.#waiters.size === 0 && this.#take(memoryMb);
  }

  /** Whether so many environments of so much memory together would fit if nothing else were there. */
  canHold(count: number, memoryMb: number): boolean {
    const { memoryBudgetMb, environmentsMax } = this.#options;
    return memoryMb <= memoryBudgetMb && count <= environmentsMax;
  }

  /** Memory for something kept in advance, if environments leave it. */
  takeSpare(memoryMb: number): boolean {
    if (this.#closed || this.#overMb + memoryMb > 0) return false;
    this.#spareMemoryMb += memoryMb;
    return true;
  }

  returnSpare(memoryMb: number): void {
    this.#spareMemoryMb -= memoryMb;
  }

  /** What is kept in advance has memory that environments need. */
  get isOverdrawn(): boolean {
    return this.#overMb > 0;
  }

  /** What is held now, and how much may be. */
  metrics(): RoomMetrics {
    const { memoryBudgetMb, environmentsMax } = this.#options;
    const held = { memoryUsedMb: this.#memoryUsedMb, memorySpareMb: this.#spareMemoryMb };
    return { memoryBudgetMb, environmentsMax, ...held, waiting: this.#waitingCount };
  }

  get #waitingCount(): number {
    return this.#waiters.size + this.#patient.length;
  }

  get #overMb(): number {
    return this.#memoryUsedMb + this.#spareMemoryMb - this.#options.memoryBudgetMb;
  }

  /** Room for so much memory will be free. */
  beginLeaving(): void {
    this.#leavingCount += 1;
  }

  endLeaving(memoryMb: number): void {
    this.#leavingCount -= 1;
    this.giveBack(memoryMb);
  }

  giveBack(memoryMb: number): void {
    this.#memoryUsedMb -= memoryMb;
    this.#environmentCount -= 1;
    this.serve();
  }

  /** Something may have become free. The first who cannot be served keeps its place, and the others theirs. */
  serve(): void {
    for (let first = this.#waiters.first(); first !== undefined; first = this.#waiters.first()) {
      const granted = this.#grant(first.tenancy, first.wants);
      if (granted === undefined) {
        if (this.#leavingCount === 0) this.#evict();
        return;
      }
      this.#waiters.removeFirst();
      answer(first, granted);
    }
    this.#servePatient();
  }

  /** One whose room nothing idle could make holds up none of the others. */
  #servePatient(): void {
    for (const waiter of this.#patient) {
      const { memoryMb } = waiter.tenancy.version;
      if (this.#take(memoryMb)) {
        this.#patient = this.#patient.filter((other) => other !== waiter);
        answer(waiter, 'room');
      } else if (this.#wouldFit(memoryMb)) {
        if (this.#leavingCount === 0) this.#evict();
        return;
      }
    }
  }

  /** If nothing idle were there. */
  #wouldFit(memoryMb: number): boolean {
    const { memoryBudgetMb, environmentsMax } = this.#options;
    let count = this.#environmentCount;
    let usedMb = this.#memoryUsedMb;
    for (const { idleRoom } of this.#makeWay) {
      count -= idleRoom.count;
      usedMb -= idleRoom.memoryMb;
    }
    return count < environmentsMax && (usedMb + memoryMb <= memoryBudgetMb || count === 0);
  }

  /**
   * An environment that is idle still, as room is being made for those before, goes to who waits for
   * its tenancy: else the next caller would take it and overtake them.
   */
  offer(offered: Tenancy): void {
    const { functionName } = offered.version;
    const waiter = this.#waiters.find(
      functionName,
      ({ tenancy, wants }) => wants === 'environment' && tenancy.key === offered.key,
    );
    const resident = waiter === undefined ? undefined : this.#idle.take(offered);
    if (waiter === undefined || resident === undefined) return;
    this.#waiters.remove(functionName, waiter);
    answer(waiter, resident);
  }

  /** Nobody gets any more room. */
  close(): void {
    this.#closed = true;
    for (const waiter of [...this.#waiters.clear(), ...this.#patient]) answer(waiter, 'none');
    this.#patient = [];
  }

  /** Nobody overtakes those who wait, unless with an environment that only they could use. */
  #grantAtOnce(tenancy: Tenancy, wants: Wanted): Grant | undefined {
    if (this.#waiters.size === 0) return this.#grant(tenancy, wants);
    return wants === 'environment' ? this.#idle.take(tenancy) : undefined;
  }

  #grant(tenancy: Tenancy, wants: Wanted): Grant | undefined {
    const warm = wants === 'environment' ? this.#idle.take(tenancy) : undefined;
    return warm ?? (this.#take(tenancy.version.memoryMb) ? 'room' : undefined);
  }

  #take(memoryMb: number): boolean {
    const { memoryBudgetMb, environmentsMax } = this.#options;
    const fits = this.#memoryUsedMb + memoryMb <= memoryBudgetMb || this.#environmentCount === 0;
    if (this.#closed || !fits || this.#environmentCount >= environmentsMax) return false;
    this.#memoryUsedMb += memoryMb;
    this.#environmentCount += 1;
    return true;
  }

  #wait(tenancy: Tenancy, wants: Wanted): Promise<Grant> {
    if (this.#closed) return Promise.resolve('none');
    const { functionName } = tenancy.version;
    const granted = deferred<Grant>();
    const timer = this.#clock.schedule(this.#options.waitMsMax, () => {
      this.#waiters.remove(functionName, waiter);
      granted.resolve('none');
      this.serve(); // the next one may need less
    });
    const waiter: Waiter = { tenancy, wants, granted, timer };
    const refused = this.#waiters.add(functionName, waiter);
    if (refused !== undefined) answer(refused, 'none');
    if (refused !== waiter) this.#evict();
    return granted.promise;
  }

  /** What is idle for longest makes way; its room is free once it has stopped. */
  #evict(): void {
    let oldest: MakesWay | undefined;
    for (const one of this.#makeWay) {
      const sinceMs = one.idleSinceMs ?? Infinity;
      if (sinceMs < (oldest?.idleSinceMs ?? Infinity)) oldest = one;
    }
    oldest?.makeWay();
  }
}

function answer(waiter: Waiter, granted: Grant): void {
  waiter.timer.cancel();
  waiter.granted.resolve(granted);
}
