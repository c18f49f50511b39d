// The senders at their edges: connections that come late, answers that are none.
import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { deferred, type Deferred } from '../base/deferred.ts';
import { connectLoopback, TelemetryListener } from '../testing/telemetry-listener.ts';
import { createTelemetrySender } from './telemetry-sender.ts';

const protocols = ['HTTP', 'TCP'] as const;

/** A sender whose connections are made when the test says so. */
function slowSender(protocol: 'HTTP' | 'TCP') {
  const asked: Deferred<Socket>[] = [];
  const connect = (): Promise<Socket> => {
    const connection = deferred<Socket>();
    asked.push(connection);
    return connection.promise;
  };
  const destination = { protocol, port: 1, path: '/', method: 'POST' } as const;
  return { asked, sender: createTelemetrySender(connect, destination) };
}

/** A server that only takes connections. */
async function silentServer(t: TestContext, onConnection?: (socket: Socket) => void) {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    onConnection?.(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

for (const protocol of protocols) {
  test(`${protocol}: an attempt is given up while it connects`, async () => {
    const { asked, sender } = slowSender(protocol);
    const controller = new AbortController();
    const sent = sender.send(['{}'], controller.signal);
    assert.equal(asked.length, 1);
    controller.abort();
    await assert.rejects(sent);
    sender.close();
  });

  test(`${protocol}: a connection that comes after the end is closed`, async (t) => {
    const { asked, sender } = slowSender(protocol);
    const controller = new AbortController();
    const sent = sender.send(['{}'], controller.signal);
    controller.abort();
    sender.close();
    await assert.rejects(sent);
    const socket = await connectLoopback(await silentServer(t));
    asked[0]?.resolve(socket);
    if (!socket.destroyed) await new Promise<void>((resolve) => socket.once('close', resolve));
    assert.equal(socket.destroyed, true);
  });
}

test('HTTP: an answer that is none, or is cut, is not taken', async (t) => {
  for (const answer of ['garbage\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut']) {
    const port = await silentServer(t, (socket) => {
      socket.once('data', () => socket.end(answer));
    });
    const destination = { protocol: 'HTTP', port, path: '/', method: 'POST' } as const;
    const sender = createTelemetrySender(connectLoopback, destination);
    await assert.rejects(sender.send(['{}'], new AbortController().signal));
    sender.close();
  }
});

test('HTTP: an answer without end is not read to its end', async (t) => {
  const port = await silentServer(t, (socket) => {
    const chunk = Buffer.alloc(16 * 1024, 'a');
    const goOn = (): void => {
      while (socket.write(chunk));
    };
    socket.on('drain', goOn);
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n');
      goOn();
    });
    socket.resume();
  });
  const destination = { protocol: 'HTTP', port, path: '/', method: 'POST' } as const;
  const sender = createTelemetrySender(connectLoopback, destination);
  await assert.rejects(sender.send(['{}'], new AbortController().signal), /too long/);
  sender.close();
});

test('HTTP: a redirection is not followed', async (t) => {
  const listener = new TelemetryListener();
  const port = await listener.listen();
  t.after(() => listener.close());
  listener.answer = (response) => void response.writeHead(307, { Location: '/other' }).end();
  const destination = { protocol: 'HTTP', port, path: '/', method: 'POST' } as const;
  const sender = createTelemetrySender(connectLoopback, destination);
  await assert.rejects(sender.send(['{}'], new AbortController().signal), /answered 307/);
  assert.equal(listener.batches.length, 1);
  sender.close();
});
