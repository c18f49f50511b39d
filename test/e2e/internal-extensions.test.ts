/**
 * Internal extensions, which live in the runtime's own process, through the whole program on every
 * driver: they register while the function initializes, hear of invocations, and give the function
 * 500 ms to shut down.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Runtime } from '@aws-sdk/client-lambda';
import { findRuntimeSearch } from '../../src/config.ts';
import { limits } from '../../src/model/limits.ts';
import { createRuntimeCatalog } from '../../src/worker/runtimes.ts';
import { deploy, invoke } from './functions.ts';
import { drivers, HearthProcess } from './hearth-process.ts';

/** Registers as its first act; then hears of invocations beside its own handler. */
const nodeExtension = `
const api = \`http://\${process.env.AWS_LAMBDA_RUNTIME_API}/2020-01-01/extension\`;
const register = (name, events) =>
  fetch(\`\${api}/register\`, {
    method: 'POST',
    headers: { 'Lambda-Extension-Name': name },
    body: JSON.stringify({ events }),
  });
const told = [];
const refusal = await (await register('inside', ['INVOKE', 'SHUTDOWN'])).json();
const registered = await register('inside', ['INVOKE']);
const headers = {
  'Lambda-Extension-Identifier': registered.headers.get('lambda-extension-identifier'),
};
async function listen() {
  for (;;) {
    const event = await (await fetch(\`\${api}/event/next\`, { headers })).json();
    console.log('inside', JSON.stringify(event));
    told.push(event.requestId);
  }
}
listen();
`;

const nodeFunction = `
const { MODE } = process.env;
process.on('SIGTERM', () => {
  console.log(\`\${MODE} told to end\`);
  if (MODE !== 'lingering') process.exit(0);
  const startedAt = performance.now();
  setInterval(() => console.log(\`still \${performance.now() - startedAt}\`), 25);
});
export const handler = async ({ isAlone }, { awsRequestId }) => {
  for (let tries = 0; !isAlone && tries < 200 && !told.includes(awsRequestId); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return { refusal, status: registered.status, told };
};
`;

const pythonModule = `
import http.client, json, os, signal, sys, threading, time

BASE = "/2020-01-01/extension"

def call(method, path, headers, body=None):
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    connection.request(method, BASE + path, body, headers)
    return connection.getresponse()

def listen():
    headers = {"Lambda-Extension-Identifier": registered.headers["Lambda-Extension-Identifier"]}
    while True:
        event = json.load(call("GET", "/event/next", headers))
        print("inside " + json.dumps(event), flush=True)

def on_end(number, frame):
    mode = os.environ["MODE"]
    print(mode + " told to end", flush=True)
    started = time.monotonic()
    while mode == "lingering":
        time.sleep(0.025)
        print("still %f" % ((time.monotonic() - started) * 1000), flush=True)
    sys.exit(0)

registered = call("POST", "/register", {"Lambda-Extension-Name": "inside"}, '{"events":["INVOKE"]}')
threading.Thread(target=listen, daemon=True).start()
signal.signal(signal.SIGTERM, on_end)

def handler(event, context):
    return {"status": registered.status}
`;

const python = createRuntimeCatalog(findRuntimeSearch())
  .list()
  .findLast(({ id, available }) => id.startsWith('python') && available)?.id as Runtime | undefined;
assert(python !== undefined, 'some Python is installed');

function variables(mode: string): { Variables: Record<string, string> } {
  return { Variables: { MODE: mode } };
}

const languages = [
  { Runtime: 'nodejs24.x', files: { 'index.mjs': nodeExtension + nodeFunction } },
  { Runtime: python, files: { 'index.py': pythonModule } },
] as const;

for (const driver of drivers) {
  describe(`internal extensions on the ${driver} driver`, () => {
    let hearth: HearthProcess;

    before(async () => {
      const flags = ['--function-logs', '--idle-seconds', '1'];
      hearth = await HearthProcess.start({ driver, flags });
    });
    after(() => hearth.stopAndRemove());

    test('register during Init, hear of each invocation, and are refused SHUTDOWN', async () => {
      const files = { 'index.mjs': nodeExtension + nodeFunction };
      await deploy(hearth.client, 'inside', { files, Environment: variables('once') });
      const first = await invoke(hearth.client, 'inside');
      await hearth.reported(first.requestId);
      const second = await invoke(hearth.client, 'inside');
      const refusal = {
        errorType: 'Extension.InvalidEventType',
        errorMessage: 'SHUTDOWN: ShutdownEventNotSupportedForInternalExtension',
      };
      const told = [first.requestId, second.requestId];
      assert.deepEqual(second.result, { refusal, status: 200, told }, second.log);
      assert.match(first.log, /^EXTENSION\tName: inside\tState: Ready\tEvents: \[INVOKE\]$/m);
      const [, event = ''] = /inside (\{.*)$/m.exec(second.log) ?? [];
      const { eventType, requestId, invokedFunctionArn } = JSON.parse(event) as Record<
        string,
        string
      >;
      assert.deepEqual({ eventType, requestId }, { eventType: 'INVOKE', requestId: told[1] });
      assert.match(String(invokedFunctionArn), /:function:inside$/);
    });

    for (const { Runtime, files } of languages) {
      test(`let a function of ${Runtime} end in peace`, async () => {
        const mode = `peaceful-${Runtime.replace('.', '-')}`;
        await deploy(hearth.client, mode, { Runtime, files, Environment: variables(mode) });
        const { result, log } = await invoke(hearth.client, mode);
        assert.equal((result as { status: number }).status, 200, log);
        await hearth.logged(new RegExp(`${mode} told to end`));
      });
    }

    test(`give the function ${limits.shutdownMsInternal} ms; without one it is killed at once`, async () => {
      // The server ends all environments before it ends itself: then the log is complete.
      const ending = await HearthProcess.start({ driver, flags: ['--function-logs'] });
      try {
        for (const [index, language] of languages.entries()) {
          const name = `lingering-${index}`;
          await deploy(ending.client, name, { ...language, Environment: variables('lingering') });
          await invoke(ending.client, name);
        }
        await deploy(ending.client, 'alone', {
          files: { 'index.mjs': `const registered = {}, told = [], refusal = '';${nodeFunction}` },
          Environment: variables('alone'),
        });
        await invoke(ending.client, 'alone', { isAlone: true });
        assert.equal(await ending.stop(), 0);
      } finally {
        await ending.stopAndRemove();
      }
      for (const index of languages.keys()) {
        const lines = new RegExp(`^/aws/lambda/lingering-${index} .*still ([\\d.]+)$`, 'gm');
        const lateMs = [...ending.stderr.matchAll(lines)].map(([, ms]) => Number(ms));
        assert(lateMs.length > 3, ending.stderr);
        assert(Math.max(...lateMs) < 2 * limits.shutdownMsInternal, String(lateMs.at(-1)));
      }
      assert.match(ending.stderr, /^\/aws\/lambda\/alone .*REPORT/m);
      assert.doesNotMatch(ending.stderr, /alone told to end/);
    });
  });
}
