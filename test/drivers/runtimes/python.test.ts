/** The managed Python runtime, on every interpreter found: what a function sees and what comes out. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { InstalledRuntime } from '../../../src/worker/runtimes.ts';
import { hostCommand, installedRuntimes, repositoryFolder } from './installed-runtimes.ts';
import { FRAME, RuntimeBench } from './runtime-process.ts';

const { found, missing } = installedRuntimes('python');
for (const { id, reason } of missing) it(`${id}`, { skip: reason }, () => {});
for (const runtime of found) {
  describe(`${runtime.id} (${runtime.version})`, { concurrency: 2 }, () => pythonSuite(runtime));
}

function pythonSuite(runtime: InstalledRuntime): void {
  const minor = Number(runtime.id.split('.')[1]);
  const bench = new RuntimeBench(hostCommand(runtime), {
    AWS_EXECUTION_ENV: `AWS_Lambda_${runtime.id}`,
    LAMBDA_RUNTIME_DIR: runtime.runtimeDir,
    PYTHONPATH: runtime.runtimeDir,
  });
  after(() => bench.close());

  const module = (body: string) => ({ 'app.py': `${body}\n` });
  const handler = 'app.handler';
  const inHandler = (...lines: string[]) =>
    module(['def handler(event, context):', ...lines.map((line) => `    ${line}`)].join('\n'));

  describe('loading', () => {
    it('loads modules, packages and folders, by dots and by slashes', async () => {
      const files = {
        'app.py': 'def handler(e, c): return 1\n',
        'pkg/__init__.py': '',
        'pkg/mod.py': 'from . import near\ndef run(e, c): return near.value\n',
        'pkg/near.py': 'value = 1\n',
        'plain/deep/mod.py': 'def run(e, c): return 1\n',
      };
      for (const name of [handler, 'pkg.mod.run', 'pkg/mod.run', 'plain/deep/mod.run']) {
        const process = await bench.start(files, name);
        assert.equal(await process.result({}), 1, name);
        await process.stop();
      }
    });

    it('runs the example functions', async () => {
      const folder = join(repositoryFolder, 'test/fixtures/functions');
      const echo = await bench.startIn(
        join(folder, 'python-echo'),
        'lambda_function.lambda_handler',
      );
      assert.deepEqual(await echo.result({ a: 1 }), { a: 1 });
      const describing = await bench.startIn(
        join(folder, 'python-echo'),
        'lambda_function.describe',
      );
      assert.equal(((await describing.result({})) as { count: number }).count, 1);
      const failing = await bench.startIn(
        join(folder, 'python-failures'),
        'lambda_function.lambda_handler',
      );
      assert.equal((await failing.failure({ how: 'raise' })).errorType, 'CustomError');
      assert.equal(await failing.result({}), 'no failure');
    });

    it('searches the task root, layers, then the language', async () => {
      const process = await bench.start(
        inHandler('import sys', 'return {"path": sys.path, "prefix": sys.prefix}'),
        handler,
      );
      const { path, prefix } = (await process.result({})) as { path: string[]; prefix: string };
      const python = `python3.${minor}`;
      assert.deepEqual(path.slice(1, 3), [
        `/opt/python/lib/${python}/site-packages`,
        '/opt/python',
      ]);
      const position = (entry: string) => path.indexOf(entry);
      const packages = position(join(prefix, 'lib', python, 'site-packages'));
      const standard = position(join(prefix, 'lib', python));
      const runtimeDir = position(runtime.runtimeDir);
      assert(packages > 0 && standard > 0 && runtimeDir > 0, JSON.stringify(path));
      if (minor >= 11) assert(packages < runtimeDir && runtimeDir < standard);
      else assert(runtimeDir < standard && standard < packages);
      assert.equal(new Set(path).size, path.length);
    });

    it('puts the task root before the standard library and keeps the rest of it working', async () => {
      const process = await bench.start(
        {
          'app.py': `import colorsys, json, ssl, sqlite3, decimal, asyncio, subprocess
def handler(event, context): return [colorsys.mine, asyncio.run(answer())]
async def answer(): return 42
`,
          'colorsys.py': 'mine = True\n',
        },
        handler,
      );
      assert.deepEqual(await process.result({}), [true, 42]);
    });

    it('reports a missing module as Runtime.ImportModuleError', async () => {
      const absent = await bench.initFailure({}, handler);
      assert.deepEqual(absent.document, {
        errorMessage: "Unable to import module 'app': No module named 'app'",
        errorType: 'Runtime.ImportModuleError',
        stackTrace: [],
      });
      assert.equal(
        absent.output,
        "[ERROR] Runtime.ImportModuleError: Unable to import module 'app': No module named 'app'\n" +
          'Traceback (most recent call last):\n',
      );
      assert.equal(absent.code, 1);
      const dependency = await bench.initFailure(module('import absent'), handler);
      assert.equal(
        dependency.document.errorMessage,
        "Unable to import module 'app': No module named 'absent'",
      );
    });

    it('reports a missing handler as Runtime.HandlerNotFound', async () => {
      const { document } = await bench.initFailure(module('x = 1'), handler);
      assert.equal(document.errorType, 'Runtime.HandlerNotFound');
      assert.equal(document.errorMessage, "Handler 'handler' missing on module 'app'");
    });

    it('reports a handler name without a dot as Runtime.MalformedHandlerName', async () => {
      const { document } = await bench.initFailure(module(''), 'app');
      assert.equal(document.errorType, 'Runtime.MalformedHandlerName');
      assert.equal(
        document.errorMessage,
        "Bad handler 'app': not enough values to unpack (expected 2, got 1)",
      );
    });

    it('reports a syntax error as Runtime.UserCodeSyntaxError with its place', async () => {
      const { document } = await bench.initFailure(module('\n\ndef broken(:'), handler);
      assert.equal(document.errorType, 'Runtime.UserCodeSyntaxError');
      assert.match(document.errorMessage, /^Syntax error in module 'app': .*\(app\.py, line 3\)$/);
      assert.match(document.stackTrace?.[0] ?? '', /File ".*app\.py" Line 3\n +def broken\(:/);
    });

    it('reports what the module raised', async () => {
      const { document, output } = await bench.initFailure(module('\n1 / 0'), handler);
      assert.equal(document.errorType, 'ZeroDivisionError');
      assert.equal(document.errorMessage, 'division by zero');
      assert.equal(document.requestId, undefined);
      assert.match(
        document.stackTrace?.at(-1) ?? '',
        /app\.py", line 2, in <module>\n {4}1 \/ 0\n/,
      );
      assert.doesNotMatch(JSON.stringify(document.stackTrace), /runtimes\/python/);
      assert.match(
        output,
        /^\[ERROR\] ZeroDivisionError: division by zero\nTraceback \(most recent/,
      );
    });

    it('ends with the status of sys.exit at import', async () => {
      const process = await bench.boot();
      bench.bind(process, bench.folder(module('import sys; sys.exit(4)')), {}, handler);
      assert.equal(await process.frame(), null);
      assert.equal((await process.exited).code, 4);
    });
  });

  describe('environment', () => {
    it('replaces the whole environment, applies TZ and enters the task root', async () => {
      const process = await bench.boot({ LEFTOVER: 'from the pool' });
      const root = bench.folder(
        inHandler(
          'import os, subprocess, time',
          'child = subprocess.check_output(["/usr/bin/env"]).decode()',
          'return {"env": dict(os.environ), "cwd": os.getcwd(), "child": child, "hour": time.localtime(0).tm_hour}',
        ),
      );
      bench.bind(process, root, { env: { GREETING: 'hello', TZ: 'Asia/Tokyo' } }, handler);
      await process.expect('NEXT');
      const seen = (await process.result({})) as {
        env: Record<string, string>;
        cwd: string;
        child: string;
        hour: number;
      };
      assert.equal(seen.cwd, root);
      assert.equal(seen.hour, 9);
      assert.equal(seen.env['GREETING'], 'hello');
      for (const name of ['LEFTOVER', 'LD_LIBRARY_PATH', 'LC_CTYPE']) {
        assert.equal(seen.env[name], undefined, name);
      }
      assert.match(seen.child, /^GREETING=hello$/m);
      assert.doesNotMatch(seen.child, /LEFTOVER/);
    });

    it('keeps the environment of a process started for its function', async () => {
      const process = await bench.boot({ FROM_WRAPPER: 'yes' });
      const taskRoot = bench.folder(inHandler('import os', 'return os.environ["FROM_WRAPPER"]'));
      process.send(FRAME.INIT, { handler, taskRoot, env: null });
      await process.expect('NEXT');
      assert.equal(await process.result({}), 'yes');
    });

    it('sets the trace id for each event and removes it when there is none', async () => {
      const process = await bench.start(
        inHandler('import os', 'return os.environ.get("_X_AMZN_TRACE_ID")'),
        handler,
      );
      assert.equal(await process.result({}, { traceId: 'Root=1-a' }), 'Root=1-a');
      assert.equal(await process.result({}, { traceId: undefined }), null);
    });

    it('keeps the channel from child processes', async () => {
      const process = await bench.start(
        inHandler('import os', 'return os.popen("ls -l /proc/self/fd").read()'),
        handler,
      );
      assert.doesNotMatch(String(await process.result({})), / 3 -> socket:/);
    });
  });

  describe('results', () => {
    it('gives None, text, numbers and nested values in the json module’s form', async () => {
      const process = await bench.start(
        inHandler(
          'return {"none": None, "list": [1, 2.5, True], "tuple": (1,), 5: "key"}[event] if event != "all" else {"a": [1, {"b": None}]}',
        ),
        handler,
      );
      assert.equal((await process.invoke('none')).text, 'null');
      assert.equal((await process.invoke('list')).text, '[1, 2.5, true]');
      assert.equal((await process.invoke('tuple')).text, '[1]');
      assert.equal((await process.invoke('all')).text, '{"a": [1, {"b": null}]}');
    });

    it('escapes Unicode before 3.12 and leaves it from then on', async () => {
      const process = await bench.start(inHandler('return event'), handler);
      const { text } = await process.invoke('こんにちは🙂');
      if (minor < 12) assert.match(text, /^"\\u3053\\u3093\\u306b.*\\ud83d\\ude42"$/);
      else assert.equal(text, '"こんにちは🙂"');
    });

    it('returns large results whole', async () => {
      const process = await bench.start(inHandler('return event * 600'), handler);
      const text = 'x'.repeat(10_000);
      assert.equal(((await process.result(text)) as string).length, 6_000_000);
    });

    it('takes bytes as text and decimals as numbers', async () => {
      const process = await bench.start(
        inHandler(
          'from decimal import Decimal',
          'return [b"abc", Decimal("10"), Decimal("1.5"), {"n": Decimal("1e2")}]',
        ),
        handler,
      );
      assert.equal((await process.invoke({})).text, '["abc", 10, 1.5, {"n": 100}]');
    });

    it('fails results that cannot be serialised and goes on', async () => {
      const process = await bench.start(
        module(`import datetime
def handler(event, context):
    circular = []
    circular.append(circular)
    return {"date": datetime.datetime(2026, 1, 1), "set": {1}, "generator": (i for i in []),
        "circular": circular, "coroutine": later(), "bytes": b"\\xff", "ok": 1}[event]
class Quiet:
    def close(self): pass
def later(): return Quiet()`),
        handler,
      );
      const messages: Record<string, string> = {
        date: 'Object of type datetime is not JSON serializable',
        set: 'Object of type set is not JSON serializable',
        generator: 'Object of type generator is not JSON serializable',
        circular: 'Circular reference detected',
        coroutine: 'Object of type Quiet is not JSON serializable',
      };
      for (const [kind, message] of Object.entries(messages)) {
        const document = await process.failure(kind);
        assert.equal(document.errorType, 'Runtime.MarshalError');
        assert.equal(document.errorMessage, `Unable to marshal response: ${message}`);
        assert.deepEqual(document.stackTrace, []);
      }
      assert.equal((await process.failure('bytes')).errorType, 'Runtime.MarshalError');
      assert.equal(await process.result('ok'), 1);
    });

    it('parses events like the json module does', async () => {
      const process = await bench.start(inHandler('return [type(event).__name__, event]'), handler);
      const events = [{}, [1, [2]], 'é"\\ \n', 0, -1.5e3, true, null, 12345678901234567890n];
      for (const event of events.slice(0, 7)) {
        assert.deepEqual(((await process.result(event)) as unknown[])[1], event);
      }
      assert.equal(
        (await process.invoke(Buffer.from(' \n{"a" : 1}\t'))).text,
        '["dict", {"a": 1}]',
      );
      assert.equal(
        (await process.invoke(Buffer.from('12345678901234567890123'))).text,
        '["int", 12345678901234567890123]',
      );
      for (const text of ['{', '[1,]', '1 2', "{'a':1}"]) {
        const document = await process.failure(Buffer.from(text));
        assert.equal(document.errorType, 'Runtime.UnmarshalError', text);
        assert.match(document.errorMessage, /^Unable to unmarshal input: .*line 1 column \d/);
      }
    });

    it('keeps module state between events and lets threads run on', async () => {
      const process = await bench.start(
        module(`import threading
count = 0
ticks = []
wake = threading.Event()
def worker():
    wake.wait()
    ticks.append(1)
threading.Thread(target=worker, daemon=True).start()
def handler(event, context):
    global count
    count += 1
    wake.set()
    while not ticks: pass
    return count`),
        handler,
      );
      assert.equal(await process.result({}), 1);
      assert.equal(await process.result({}), 2);
    });
  });

  describe('context', () => {
    it('is complete', async () => {
      const process = await bench.start(
        inHandler(
          'c = context',
          'return {"request": c.aws_request_id, "group": c.log_group_name, "stream": c.log_stream_name,',
          '  "name": c.function_name, "memory": c.memory_limit_in_mb, "version": c.function_version,',
          '  "arn": c.invoked_function_arn, "remaining": c.get_remaining_time_in_millis(),',
          '  "identity": [c.identity.cognito_identity_id, c.identity.cognito_identity_pool_id],',
          '  "client": c.client_context and [c.client_context.custom, c.client_context.env, c.client_context.client.app_title],',
          '  "tenant": c.tenant_id, "text": repr(c)}',
        ),
        handler,
      );
      const full = (await process.result(
        {},
        {
          deadlineMs: Date.now() + 5000,
          clientContext:
            '{"custom":{"a":"b"},"env":{"locale":"en"},"client":{"app_title":"title"}}',
          cognitoIdentity: '{"cognitoIdentityId":"id","cognitoIdentityPoolId":"pool"}',
          tenantId: 'BlueTenant',
        },
      )) as Record<string, unknown>;
      const remaining = Number(full['remaining']);
      assert(remaining > 3000 && remaining <= 5000 && Number.isInteger(remaining));
      assert.match(
        String(full['text']),
        /^LambdaContext\(\[aws_request_id=0{8}-.*memory_limit_in_mb=128,.*identity=CognitoIdentity\(\[cognito_identity_id=id,cognito_identity_pool_id=pool\]\),tenant_id=BlueTenant\]\)$/,
      );
      delete full['remaining'];
      delete full['text'];
      assert.deepEqual(full, {
        request: '00000000-0000-4000-8000-000000000001',
        group: '/aws/lambda/example',
        stream: '2026/01/01/[$LATEST]0123456789abcdef0123456789abcdef',
        name: 'example',
        memory: '128',
        version: '$LATEST',
        arn: 'arn:aws:lambda:us-east-1:000000000000:function:example',
        identity: ['id', 'pool'],
        client: [{ a: 'b' }, { locale: 'en' }, 'title'],
        tenant: 'BlueTenant',
      });
      const plain = (await process.result({})) as Record<string, unknown>;
      assert.equal(plain['client'], null);
      assert.deepEqual(plain['identity'], [null, null]);
      assert.equal(plain['tenant'], null);
    });
  });

  describe('errors', () => {
    it('formats an exception for the caller and for the log', async () => {
      const process = await bench.start(
        module(`class Custom(Exception): pass
def inner():
    raise Custom("boom é")
def handler(event, context):
    inner()`),
        handler,
      );
      const outcome = await process.invoke({});
      const document = JSON.parse(outcome.text) as Record<string, unknown>;
      assert.deepEqual(Object.keys(document), [
        'errorMessage',
        'errorType',
        'requestId',
        'stackTrace',
      ]);
      assert.equal(document['errorMessage'], 'boom é');
      assert.equal(document['errorType'], 'Custom');
      assert.equal(document['requestId'], outcome.header['requestId']);
      const stack = document['stackTrace'] as string[];
      assert.equal(stack.length, 2);
      assert.match(stack[0] ?? '', /^ {2}File ".*app\.py", line 5, in handler\n {4}inner\(\)\n/);
      assert.match(stack[1] ?? '', /^ {2}File ".*app\.py", line 3, in inner\n {4}raise Custom/);
      assert.equal(
        process.output,
        `[ERROR] Custom: boom é\nTraceback (most recent call last):\n${stack.join('')}`,
      );
      assert.equal(outcome.next, true);
    });

    it('survives exceptions that have no text', async () => {
      const process = await bench.start(
        module(`class Mute(Exception):
    def __str__(self): raise ValueError("no")
def handler(event, context): raise Mute()`),
        handler,
      );
      assert.equal((await process.failure({})).errorType, 'Mute');
      assert.equal((await process.failure({})).errorType, 'Mute');
    });

    it('ends with the status of sys.exit and exit in the handler', async () => {
      for (const [call, code] of [
        ['sys.exit(3)', 3],
        ['exit()', 0],
        ['sys.exit("words")', 1],
      ] as const) {
        const process = await bench.start(
          inHandler('import sys', 'print("last words", end="")', call),
          handler,
        );
        process.sendInvoke({});
        assert.equal(await process.frame(), null);
        assert.deepEqual(await process.exited, { code, signal: null });
        assert.match(process.output, /^last words/);
      }
    });
  });

  describe('output', () => {
    it('has every line, and a line not ended, before the response', async () => {
      const process = await bench.start(
        inHandler(
          'import sys',
          'print("one", "two é")',
          'print("err", file=sys.stderr)',
          'print("open", end="")',
        ),
        handler,
      );
      await process.invoke({});
      assert.equal(process.output, 'one two é\nerr\nopen');
    });

    it('formats records of the root logger', async () => {
      const process = await bench.start(
        module(`import logging
logging.warning("at init")
log = logging.getLogger()
log.setLevel(logging.INFO)
def handler(event, context):
    log.debug("hidden")
    log.info("value %d", 5)
    logging.getLogger("named").error("no")
    try: 1 / 0
    except ZeroDivisionError: log.exception("caught")
    context.log("direct\\n")`),
        handler,
      );
      assert.match(
        process.output,
        /^\[WARNING\]\t\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\t\tat init\n$/,
      );
      process.clearOutput();
      const { header } = await process.invoke({});
      const lines = process.output.split('\n');
      const id = String(header['requestId']);
      const record = (level: string, text: string) =>
        new RegExp(`^\\[${level}\\]\\t[-0-9]{10}T[:0-9]{8}\\.\\d{3}Z\\t${id}\\t${text}$`);
      assert.match(lines[0] ?? '', record('INFO', 'value 5'));
      assert.match(lines[1] ?? '', record('ERROR', 'no'));
      assert.match(lines[2] ?? '', record('ERROR', 'caught'));
      assert.equal(lines[3], 'Traceback (most recent call last):');
      assert.match(process.output, /ZeroDivisionError: division by zero\ndirect\n$/);
      assert.doesNotMatch(process.output, /hidden/);
    });

    it('writes JSON records and drops lower levels when asked', async () => {
      const process = await bench.start(
        module(`import logging
log = logging.getLogger("named")
def handler(event, context):
    log.info("hidden")
    log.warning("shown é", extra={"order": 7})
    try: 1 / 0
    except ZeroDivisionError: log.exception("caught")
    raise KeyError("gone")`),
        handler,
        { env: { AWS_LAMBDA_LOG_FORMAT: 'JSON', AWS_LAMBDA_LOG_LEVEL: 'WARN' } },
      );
      const { header } = await process.invoke({});
      const lines = process.output
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      assert.equal(lines.length, 3);
      assert.match(String(lines[0]?.['timestamp']), /^[-0-9]{10}T[:0-9]{8}\.\d{3}Z$/);
      assert.deepEqual(
        { ...lines[0], timestamp: '' },
        {
          timestamp: '',
          level: 'WARNING',
          message: 'shown é',
          logger: 'named',
          requestId: header['requestId'],
          order: 7,
        },
      );
      assert.equal(lines[1]?.['errorType'], 'ZeroDivisionError');
      assert.match(String(lines[1]?.['location']), /app\.py:handler:\d+$/);
      assert(Array.isArray(lines[1]?.['stackTrace']));
      assert.equal(lines[2]?.['level'], 'ERROR');
      assert.equal(lines[2]?.['errorMessage'], "'gone'");
      assert.equal(lines[2]?.['requestId'], header['requestId']);
    });

    it('names the tenant in JSON records of its invocations', async () => {
      const process = await bench.start(
        module(`import logging
log = logging.getLogger()
log.warning("init")
def handler(event, context):
    log.warning("one")`),
        handler,
        { env: { AWS_LAMBDA_LOG_FORMAT: 'JSON' } },
      );
      await process.invoke({}, { tenantId: 'BlueTenant' });
      await process.invoke({});
      const lines = process.output.trim().split('\n');
      const tenants = lines.map((line) => (JSON.parse(line) as { tenantId?: string }).tenantId);
      assert.deepEqual(tenants, [undefined, 'BlueTenant', undefined]);
    });
  });

  describe('process', () => {
    it('ends on SIGTERM, unless the function traps it', async () => {
      const plain = await bench.start(inHandler('return 1'), handler);
      plain.signal('SIGTERM');
      assert.deepEqual(await plain.exited, { code: null, signal: 'SIGTERM' });
      const trapping = await bench.start(
        module(`import signal, sys
def stop(number, frame):
    print("trapped")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
def handler(event, context): return 1`),
        handler,
      );
      await trapping.result({});
      trapping.signal('SIGTERM');
      assert.deepEqual(await trapping.exited, { code: 0, signal: null });
      assert.equal(trapping.output, 'trapped\n');
    });

    it('runs the handler of a signal that another thread was given', async () => {
      const trapping = await bench.start(
        module(`import signal, sys, threading
def stop(number, frame):
    print("trapped by", threading.current_thread() is threading.main_thread())
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
threading.Thread(target=threading.Event().wait, daemon=True).start()
# From here on only the other thread can be given it.
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
def handler(event, context): return 1`),
        handler,
      );
      for (let count = 0; count < 3; count += 1) await trapping.result({});
      trapping.signal('SIGTERM');
      assert.deepEqual(await trapping.exited, { code: 0, signal: null });
      assert.equal(trapping.output, 'trapped by True\n');
    });

    it('exits at once when the host is gone', async () => {
      const booted = await bench.boot();
      booted.closeChannel();
      assert.deepEqual(await booted.exited, { code: 0, signal: null });
      const bound = await bench.start(
        module(`import threading
threading.Thread(target=threading.Event().wait).start()
def handler(event, context): return 1`),
        handler,
      );
      bound.closeChannel();
      assert.deepEqual(await bound.exited, { code: 0, signal: null });
    });

    it('takes no answer from a child that the handler forked', async () => {
      const process = await bench.start(
        inHandler(
          'import os',
          'child = os.fork()',
          'if child == 0: return "child"',
          'os.waitpid(child, 0)',
          'return "parent"',
        ),
        handler,
      );
      assert.equal(await process.result({}), 'parent');
      assert.equal(await process.result({}), 'parent');
    });

    it('runs child processes of multiprocessing', async () => {
      const process = await bench.start(
        {
          'app.py': `import multiprocessing, work
def handler(event, context):
    here, there = multiprocessing.get_context("spawn").Pipe()
    child = multiprocessing.get_context("spawn").Process(target=work.run, args=(there,))
    child.start()
    answer = here.recv()
    child.join()
    return answer
`,
          'work.py': 'def run(pipe): pipe.send("from the child")\n',
        },
        handler,
      );
      assert.equal(await process.result({}), 'from the child');
    });
  });

  describe('snapshots', () => {
    const setup = { initializationType: 'snap-start' };
    const hooks = `import os
from snapshot_restore_py import register_after_restore, register_before_snapshot
log = []
@register_before_snapshot
def one(): log.append("before one")
register_before_snapshot(lambda *args, **kwargs: log.append([args, kwargs]), 1, two=2)
@register_after_restore
def three(): log.append("after " + os.environ["NEW"])
register_after_restore(log.append, "after four")
def handler(event, context): return [log, os.environ["OLD"], os.environ.get("MINE"), one.__name__]
os.environ["MINE"] = "kept"
`;

    it('runs the hooks in their orders and takes new variables when restored', async () => {
      const process = await bench.boot();
      const env = { OLD: 'before' };
      bench.bind(process, bench.folder(module(hooks)), { ...setup, env }, handler);
      await process.expect('SNAPSHOT');
      process.send(FRAME.RESTORE, { env: { NEW: 'three', OLD: 'after' }, optRoot: '/opt' });
      await process.expect('NEXT');
      const log = [[[1], { two: 2 }], 'before one', 'after three', 'after four'];
      assert.deepEqual(await process.result({}), [log, 'after', 'kept', 'one']);
    });

    it('finds its layers where they are when restored', async () => {
      const [before, now] = ['one', 'two'].map((value) =>
        bench.folder({
          'python/package/__init__.py': '',
          'python/package/late.py': `value = "${value}"\n`,
          'python/later.py': `value = "${value}"\n`,
        }),
      );
      const app = `import package
def handler(event, context):
    import package.late, later
    return [package.late.value, later.value]
`;
      const process = await bench.boot();
      bench.bind(process, bench.folder(module(app)), { ...setup, optRoot: before ?? '' }, handler);
      await process.expect('SNAPSHOT');
      process.send(FRAME.RESTORE, { env: {}, optRoot: now });
      await process.expect('NEXT');
      assert.deepEqual(await process.result({}), ['two', 'two']);
    });

    it('leaves hooks alone when initialised on demand', async () => {
      const process = await bench.start(module(hooks), handler, { env: { OLD: 'as given' } });
      assert.deepEqual(await process.result({}), [[], 'as given', 'kept', 'one']);
    });

    it('uses the package that a function brings', async () => {
      const process = await bench.boot();
      const own = `hooks = []
def register_before_snapshot(function): hooks.append((function, (), {}))
def get_before_snapshot(): return hooks
def get_after_restore(): return []
`;
      const app = `from snapshot_restore_py import register_before_snapshot
register_before_snapshot(lambda: print("its own"))
def handler(event, context): return 1
`;
      const files = { ...module(app), 'snapshot_restore_py.py': own };
      bench.bind(process, bench.folder(files), setup, handler);
      await process.expect('SNAPSHOT');
      assert.equal(process.output, 'its own\n');
    });

    it('reports a hook that fails, and ends', async () => {
      const failing = (when: string): Record<string, string> =>
        module(`from snapshot_restore_py import ${when}
@${when}
def hook(): raise KeyError("missing")
def handler(event, context): return 1`);
      const before = await bench.boot();
      bench.bind(before, bench.folder(failing('register_before_snapshot')), setup, handler);
      const { header } = await before.expect('INIT_ERROR');
      assert.equal(header['errorType'], 'Runtime.BeforeSnapshotError');
      assert.equal((await before.exited).code, 1);
      const after = await bench.boot();
      bench.bind(after, bench.folder(failing('register_after_restore')), setup, handler);
      await after.expect('SNAPSHOT');
      after.send(FRAME.RESTORE, { env: {}, optRoot: '/opt' });
      const frame = await after.expect('RESTORE_ERROR');
      assert.equal(frame.header['errorType'], 'KeyError');
      const document = JSON.parse(frame.payload.toString()) as { errorMessage: string };
      assert.equal(document.errorMessage, "'missing'");
      assert.match(after.output, /\[ERROR\] KeyError: 'missing'/);
      assert.equal((await after.exited).code, 1);
    });
  });
}
