/**
 * Plays every runtime process of a simulated host: good, slow, failing, dying, silent or lying, and
 * checks what it is given: one event at a time, each once, of the version and tenant it was made for.
 */
import assert from 'node:assert/strict';
import type { RunnableVersion } from '../../src/model/runnable-version.ts';
import type { ScriptedRuntime, ScriptedSandbox } from '../../src/testing/scripted-sandbox.ts';
import type { Invocation } from '../../src/worker/runtime-port.ts';
import type { SeededRandom } from './seeded-random.ts';

/** What an invocation is to run, and for whom. */
export interface Expected {
  readonly version: RunnableVersion;
  readonly tenantId: string | undefined;
}

export class ScriptedPlayer {
  readonly #random: SeededRandom;
  readonly #misbehaviour: number;
  /** Processes that have an event, or have answered and not asked for the next. */
  readonly #busy = new Map<ScriptedRuntime, { readonly requestId: string; answered: boolean }>();
  readonly #expected: ReadonlyMap<string, Expected>;
  readonly #onViolation: (error: unknown) => void;
  readonly #delivered = new Set<string>();
  readonly #served = new Map<ScriptedSandbox, Expected>();

  /** `expected` is by request id. */
  constructor(
    random: SeededRandom,
    expected: ReadonlyMap<string, Expected>,
    options: { readonly misbehaviour: number; readonly onViolation: (error: unknown) => void },
  ) {
    this.#random = random;
    this.#expected = expected;
    this.#misbehaviour = options.misbehaviour;
    this.#onViolation = options.onViolation;
  }

  get deliveredCount(): number {
    return this.#delivered.size;
  }

  readonly play = (runtime: ScriptedRuntime): void => {
    if (!this.#random.chance(this.#misbehaviour)) runtime.booted.resolve();
    else if (this.#random.chance(0.5)) runtime.exit({ code: 1 });
    runtime.onInit = () => queueMicrotask(() => this.#init(runtime));
    runtime.onInvoke = (invocation) => {
      try {
        this.#checkDelivery(runtime, invocation);
      } catch (error) {
        this.#onViolation(error);
      }
      this.#busy.set(runtime, { requestId: invocation.requestId, answered: false });
      if (this.#random.chance(0.5)) queueMicrotask(() => this.#act(runtime));
    };
  };

  /** One of the busy processes does something. */
  act(): void {
    for (const runtime of this.#busy.keys()) if (runtime.hasEnded) this.#busy.delete(runtime);
    if (this.#busy.size > 0) this.#act(this.#random.pick([...this.#busy.keys()]));
  }

  #checkDelivery(runtime: ScriptedRuntime, invocation: Invocation): void {
    const { requestId, invokedFunctionArn } = invocation;
    const { sandbox } = runtime;
    const expected = this.#expected.get(requestId);
    assert(expected !== undefined, `${requestId} was never asked for`);
    const { version, tenantId } = expected;
    assert(!this.#delivered.has(requestId), `${requestId} ran twice`);
    this.#delivered.add(requestId);
    assert(!sandbox.isFrozen && !sandbox.isDestroyed, 'an event for a frozen or removed sandbox');
    assert.equal(sandbox.binding?.codeDir, `/code/${version.codeHash}`, 'code of another version');
    assert(invokedFunctionArn.startsWith(version.functionArn), 'event of another function');
    assert.equal(invocation.tenantId, tenantId, 'event of another tenant');
    const before = this.#served.get(sandbox) ?? expected;
    assert.equal(before.version.key, version.key, 'an environment crossed versions');
    assert.equal(before.tenantId, tenantId, 'an environment crossed tenants');
    this.#served.set(sandbox, expected);
    for (const other of this.#busy.keys()) {
      const isElsewhere = other.sandbox !== sandbox || other.hasEnded;
      assert(isElsewhere, `two invocations in one environment: ${requestId}`);
    }
  }

  #init(runtime: ScriptedRuntime): void {
    if (runtime.hasEnded) return;
    if (!this.#random.chance(this.#misbehaviour)) {
      runtime.next();
      return;
    }
    const how = this.#random.weighted({ initError: 2, exit: 2, memory: 1, silence: 1 });
    if (how === 'initError') runtime.initError();
    if (how === 'exit' || how === 'initError') runtime.exit({ code: 1 });
    if (how === 'memory') runtime.exit({ signal: 'SIGKILL', outOfMemory: true });
  }

  #act(runtime: ScriptedRuntime): void {
    const state = this.#busy.get(runtime);
    if (state === undefined || runtime.hasEnded) return;
    if (this.#random.chance(this.#misbehaviour)) this.#misbehave(runtime);
    else if (!state.answered) this.#answer(runtime, state);
    else this.#askNext(runtime);
  }

  #answer(runtime: ScriptedRuntime, state: { requestId: string; answered: boolean }): void {
    state.answered = true;
    if (this.#random.chance(0.1)) runtime.fail();
    else runtime.respond(JSON.stringify(state.requestId));
    if (this.#random.chance(0.7)) this.#askNext(runtime);
  }

  #askNext(runtime: ScriptedRuntime): void {
    this.#busy.delete(runtime);
    runtime.next();
  }

  #misbehave(runtime: ScriptedRuntime): void {
    const how = this.#random.weighted({ exit: 3, lie: 2, channel: 1, memory: 1, chatter: 2 });
    if (how === 'exit') runtime.exit({ code: this.#random.integer(0, 2) });
    if (how === 'memory') runtime.exit({ signal: 'SIGKILL', outOfMemory: true });
    if (how === 'channel') runtime.closeChannel();
    if (how === 'lie') runtime.respond('"lie"', 'some-other-request');
    if (how === 'chatter') runtime.say('noise\n');
  }
}
