/** Who has registered, who waits, who has failed: the extensions of one Init, told what to do by the test. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { beforeEach, describe, test } from 'node:test';
import { deferred } from '../base/deferred.ts';
import { systemRandom } from '../base/random.ts';
import { limits } from '../model/limits.ts';
import type { ProcessExit, SandboxProcess } from '../sandbox/sandbox.ts';
import { turns } from '../testing/scripted-sandbox.ts';
import { SimClock } from '../testing/sim-clock.ts';
import { findExtensions } from './extension-files.ts';
import type { ExtensionEvent, ExtensionEventType } from './extension-port.ts';
import { Extensions } from './extensions.ts';
import type { Fault } from './faults.ts';

class FakeProcess implements SandboxProcess {
  readonly channel = null;
  readonly output = new Readable({ read: () => undefined });
  readonly signals: string[] = [];
  readonly #exited = deferred<ProcessExit>();
  readonly exited = this.#exited.promise;

  drainOutput(): void {}

  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.signals.push(signal);
    if (signal === 'SIGKILL') this.exit({ code: null, signal });
  }

  async kill(): Promise<ProcessExit> {
    this.signal('SIGKILL');
    return this.exited;
  }

  exit(how: Partial<ProcessExit> = {}): void {
    this.#exited.resolve({ code: 0, signal: null, outOfMemory: false, ...how });
  }
}

let clock: SimClock;
let failures: Fault[];
let processes: Map<string, FakeProcess>;
let cannotStart: string | null;

beforeEach(() => {
  clock = new SimClock(1_000_000);
  failures = [];
  processes = new Map();
  cannotStart = null;
});

function create(...names: string[]): Extensions {
  return new Extensions(clock, systemRandom, names, {
    start: async (name) => {
      if (name === cannotStart) throw new Error('no such file');
      const process = new FakeProcess();
      processes.set(name, process);
      return process;
    },
    onFailure: (fault) => failures.push(fault),
    onNext: () => undefined,
  });
}

function registered(
  extensions: Extensions,
  name: string,
  events: readonly ExtensionEventType[] = ['INVOKE', 'SHUTDOWN'],
): string {
  const id = extensions.register(name, events);
  assert(typeof id === 'string', JSON.stringify(id));
  return id;
}

/** The events that an extension gets which asks for the next one again and again. */
function listen(extensions: Extensions, id: string): ExtensionEvent[] {
  const events: ExtensionEvent[] = [];
  const next = (): void => {
    extensions.nextEvent(id, (_eventId, event) => {
      events.push(event);
      queueMicrotask(next);
    });
  };
  next();
  return events;
}

const invokeEvent: ExtensionEvent = {
  eventType: 'INVOKE',
  deadlineMs: 1_003_000,
  requestId: 'request-1',
  invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:one',
  tracing: { type: 'X-Amzn-Trace-Id', value: 'Root=1' },
};

describe('launching', () => {
  test('starts all at once and ends when the last has registered', async () => {
    const extensions = create('a', 'b');
    let isLaunched: boolean | undefined;
    void extensions.launch().then((result) => (isLaunched = result));
    await turns();
    assert.deepEqual([...processes.keys()], ['a', 'b']);
    registered(extensions, 'b');
    await turns();
    assert.equal(isLaunched, undefined);
    registered(extensions, 'a');
    await turns();
    assert.equal(isLaunched, true);
    assert.equal(extensions.isReady, false);
  });

  test('without external ones is over at once', async () => {
    const extensions = create();
    assert.equal(await extensions.launch(), true);
    assert(extensions.isEmpty && extensions.isReady && extensions.isSettled);
    assert.equal(extensions.shutdownMsMax, 0);
  });

  test('fails once when one cannot be started', async () => {
    cannotStart = 'b';
    const extensions = create('a', 'b');
    assert.equal(await extensions.launch(), false);
    assert.deepEqual(failures, [
      { type: 'extension', errorType: 'Extension.LaunchError', message: 'no such file' },
    ]);
    assert.equal(extensions.records()[1]?.state, 'LaunchError');
  });

  test('fails when one ends before it has registered', async () => {
    const extensions = create('a', 'b');
    const launched = extensions.launch();
    await turns();
    processes.get('a')?.exit({ code: 3 });
    processes.get('b')?.exit({ code: 4 });
    assert.equal(await launched, false);
    assert.deepEqual(failures, [
      { type: 'extension', errorType: 'Extension.Crash', message: 'exit status 3' },
    ]);
  });

  test('is given up when ending begins', async () => {
    const extensions = create('a');
    const launched = extensions.launch();
    extensions.beginEnding();
    assert.equal(await launched, false);
    assert.deepEqual(failures, []);
  });
});

describe('registering', () => {
  test('an external extension does it once, by the name of its file', async () => {
    const extensions = create('a');
    void extensions.launch();
    await turns();
    registered(extensions, 'a');
    const again = extensions.register('a', ['INVOKE']);
    assert(typeof again !== 'string' && again.httpStatus === 403);
    assert.equal(again.errorType, 'Extension.InvalidExtensionState');
    assert.match(again.errorMessage, /from Registered to Registered failed for extension a/);
  });

  test('an internal one may until the runtime is ready, but not for SHUTDOWN', () => {
    const extensions = create();
    const shutdown = extensions.register('inside', ['INVOKE', 'SHUTDOWN']);
    assert(typeof shutdown !== 'string');
    assert.equal(shutdown.errorType, 'Extension.InvalidEventType');
    assert.equal(shutdown.errorMessage, 'SHUTDOWN: ShutdownEventNotSupportedForInternalExtension');
    registered(extensions, 'inside', ['INVOKE']);
    assert.equal(extensions.shutdownMsMax, limits.shutdownMsInternal);
    assert.equal(extensions.runtimeShutdownMsMax, limits.shutdownMsInternal);
    const twice = extensions.register('inside', []);
    assert(typeof twice !== 'string' && twice.errorType === 'Extension.InvalidExtensionState');
    extensions.closeRegistration();
    const late = extensions.register('late', []);
    assert(typeof late !== 'string' && late.errorType === 'Extension.RegistrationClosed');
  });

  test(`is for ${limits.extensionsMax} at most, internal and external together`, () => {
    const extensions = create('a');
    void extensions.launch();
    registered(extensions, 'a');
    for (let count = 1; count < limits.extensionsMax; count += 1) {
      registered(extensions, `inside-${count}`, []);
    }
    const refused = extensions.register('one-more', []);
    assert(typeof refused !== 'string' && refused.httpStatus === 403);
    assert.equal(refused.errorType, 'Extension.TooManyExtensions');
    assert.match(refused.errorMessage, /10/);
  });

  test('an id that nobody has is refused everywhere', () => {
    const extensions = create();
    const error = { errorType: 'X', payload: Buffer.alloc(0) };
    const answers = [
      extensions.nextEvent('x', () => undefined),
      extensions.initError('x', error),
      extensions.exitError('x', error),
      extensions.subscriberName('x'),
    ];
    for (const answer of answers) {
      assert(typeof answer !== 'string' && answer.status === 'refused');
      assert.equal(answer.errorType, 'Extension.UnknownExtensionIdentifier');
      assert.equal(answer.httpStatus, 403);
    }
  });
});

describe('events', () => {
  test('go to who registered for them; nothing is settled before all have asked again', async () => {
    const extensions = create('a', 'b');
    void extensions.launch();
    const quiet = listen(extensions, registered(extensions, 'b', ['SHUTDOWN']));
    const id = registered(extensions, 'a');
    let delivered: ExtensionEvent | null = null;
    extensions.nextEvent(id, (_eventId, event) => (delivered = event));
    assert(extensions.isReady);
    extensions.invoke(invokeEvent);
    assert.deepEqual(delivered, invokeEvent);
    assert.equal(extensions.isSettled, false);
    extensions.nextEvent(id, () => undefined);
    assert.equal(extensions.isSettled, true);
    assert.deepEqual(quiet, []);
  });

  test('have ids that differ', () => {
    const extensions = create();
    const ids: string[] = [];
    const id = registered(extensions, 'inside', ['INVOKE']);
    for (let count = 0; count < 2; count += 1) {
      extensions.nextEvent(id, (eventId) => ids.push(eventId));
      extensions.invoke(invokeEvent);
    }
    assert.equal(new Set(ids).size, 2);
  });
});

describe('errors', () => {
  const error = { errorType: 'Extension.ConfigInvalid', payload: Buffer.from('{}') };

  test('that are reported fail once, and nothing is heard afterwards', async () => {
    const extensions = create('a');
    void extensions.launch();
    await turns();
    const id = registered(extensions, 'a');
    assert.equal(extensions.initError(id, error).status, 'accepted');
    for (const answer of [
      extensions.nextEvent(id, () => undefined),
      extensions.initError(id, error),
      extensions.exitError(id, error),
    ]) {
      assert(answer.status === 'refused');
      assert.equal(answer.errorType, 'Extension.InvalidExtensionState');
    }
    processes.get('a')?.exit({ code: 1 });
    await turns();
    assert.equal(failures.length, 1);
    assert(failures[0]?.type === 'extension');
    assert.equal(failures[0].errorType, 'Extension.ConfigInvalid');
    assert.deepEqual(extensions.records(), [
      {
        ...{ name: 'a', state: 'InitError', events: ['INVOKE', 'SHUTDOWN'] },
        errorType: 'Extension.ConfigInvalid',
      },
    ]);
  });

  test('of Init are refused once an extension is ready, those of the end are not', () => {
    const extensions = create('a');
    void extensions.launch();
    const id = registered(extensions, 'a');
    extensions.nextEvent(id, () => undefined);
    assert.equal(extensions.initError(id, error).status, 'refused');
    assert.equal(extensions.exitError(id, error).status, 'accepted');
    assert.equal(failures.length, 1);
  });

  test('of memory are told as such, and a crash with its status', async () => {
    for (const [exit, expected] of [
      [{ code: null, signal: 'SIGKILL', outOfMemory: true }, { type: 'outOfMemory' }],
      [
        { code: null, signal: 'SIGSEGV' },
        { type: 'extension', errorType: 'Extension.Crash', message: 'signal: segmentation fault' },
      ],
      [{ code: 0 }, { type: 'extension', errorType: 'Extension.Crash', message: 'exit code 0' }],
    ] as const) {
      failures = [];
      const extensions = create('a');
      void extensions.launch();
      await turns();
      processes.get('a')?.exit(exit);
      await turns();
      assert.deepEqual(failures, [expected]);
    }
  });
});

describe('shutting down', () => {
  test('tells who registered for it, kills the others, and ends when all have ended', async () => {
    const extensions = create('a', 'b');
    void extensions.launch();
    await turns();
    const events = listen(extensions, registered(extensions, 'a'));
    listen(extensions, registered(extensions, 'b', ['INVOKE']));
    let isOver = false;
    void extensions.shutDown('SPINDOWN', 2000).then(() => (isOver = true));
    await turns();
    const deadlineMs = clock.nowMs() + 2000;
    assert.deepEqual(events, [{ eventType: 'SHUTDOWN', shutdownReason: 'SPINDOWN', deadlineMs }]);
    assert.deepEqual(processes.get('a')?.signals, []);
    assert.deepEqual(processes.get('b')?.signals, ['SIGKILL']);
    assert.equal(isOver, false);
    processes.get('a')?.exit();
    await turns();
    assert.equal(isOver, true);
    assert.deepEqual(failures, []);
  });

  test('reaches one that is busy with its next', async () => {
    const extensions = create('a');
    void extensions.launch();
    await turns();
    const id = registered(extensions, 'a');
    extensions.nextEvent(id, () => undefined);
    extensions.invoke(invokeEvent);
    void extensions.shutDown('TIMEOUT', 2000);
    const events = listen(extensions, id);
    const [event] = events;
    assert(event?.eventType === 'SHUTDOWN' && event.shutdownReason === 'TIMEOUT');
  });

  test('is over when its time is', async () => {
    const extensions = create('a');
    void extensions.launch();
    await turns();
    listen(extensions, registered(extensions, 'a'));
    let isOver = false;
    void extensions.shutDown('FAILURE', 2000).then(() => (isOver = true));
    clock.advance(1999);
    await turns();
    assert.equal(isOver, false);
    clock.advance(1);
    await turns();
    assert.equal(isOver, true);
  });
});

test('external extensions are the files in the extensions folders of all layers', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hearth-extensions-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const layers = ['one', 'two', 'three'].map((name) => join(folder, name));
  for (const layer of layers.slice(0, 2))
    mkdirSync(join(layer, 'extensions/lib'), { recursive: true });
  const [one = '', two = ''] = layers;
  writeFileSync(join(one, 'extensions/b'), '');
  writeFileSync(join(two, 'extensions/b'), '');
  writeFileSync(join(two, 'extensions/a'), '');
  symlinkSync('b', join(two, 'extensions/c'));
  symlinkSync('lib', join(two, 'extensions/folder'));
  assert.deepEqual(await findExtensions(layers), ['a', 'b', 'c']);
  assert.deepEqual(await findExtensions([]), []);
});
