import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openFileBlobs } from '../../artifact/file-blobs.ts';
import type { Blobs } from '../../artifact/blobs.ts';
import { silentLog } from '../../base/log.ts';
import { SimClock } from '../../testing/sim-clock.ts';
import {
  CODE_LOCATION_VALID_MS,
  createCodeDownloadRoute,
  createCodeLocations,
} from './code-location.ts';

const clock = new SimClock(1_000_000);
const locations = createCodeLocations(clock, 'secret');
let blobs: Blobs;
let server: Server;
let baseUrl: string;
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-location-'));
  blobs = await openFileBlobs({ folder });
  const route = createCodeDownloadRoute(silentLog, blobs, locations);
  server = createServer((request, response) => {
    if (!route(request, response)) response.writeHead(404).end('not ours');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

after(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true, force: true });
});

test('a link gives the archive', async () => {
  const bytes = Buffer.alloc(300_000, 'archive');
  const { hash } = await blobs.put(bytes);
  const url = locations.urlFor(baseUrl, hash);
  const response = await fetch(url);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'application/zip');
  assert.ok(Buffer.from(await response.arrayBuffer()).equals(bytes));
  const head = await fetch(url, { method: 'HEAD' });
  assert.equal(head.headers.get('content-length'), String(bytes.length));
});

test('a link is good for ten minutes', async () => {
  const { hash } = await blobs.put(Buffer.from('x'));
  const url = locations.urlFor(baseUrl, hash);
  clock.advance(CODE_LOCATION_VALID_MS - 1);
  assert.equal((await fetch(url)).status, 200);
  clock.advance(1);
  const late = await fetch(url);
  assert.equal(late.status, 403);
  assert.match(await late.text(), /<Code>AccessDenied<\/Code><Message>Request has expired</);
});

test('a link that was changed anywhere is refused', async () => {
  const { hash } = await blobs.put(Buffer.from('x'));
  const url = locations.urlFor(baseUrl, hash);
  const changed = [
    url.replace(hash, 'b'.repeat(64)),
    url.replace(/expires=(\d)/, (_, digit: string) => `expires=${(Number(digit) + 1) % 10}`),
    url.replace(/signature=(.)/, (_, letter: string) => `signature=${letter === 'A' ? 'B' : 'A'}`),
    url.replace(/&signature=.*/, ''),
    `${url}x`,
    `${url}&more=1`,
    `${baseUrl}/_hearth/code/`,
    `${baseUrl}/_hearth/code/..%2f..%2fetc%2fpasswd`,
    createCodeLocations(clock, 'other secret').urlFor(baseUrl, hash),
  ];
  for (const link of changed) {
    const response = await fetch(link);
    assert.equal(response.status, 403, link);
    await response.text();
  }
});

test('a link to what is gone answers 404, another method 405, another path is not taken', async () => {
  const url = locations.urlFor(baseUrl, 'c'.repeat(64));
  assert.equal((await fetch(url)).status, 404);
  assert.equal((await fetch(url, { method: 'POST', body: 'x'.repeat(100_000) })).status, 405);
  const other = await fetch(`${baseUrl}/2015-03-31/functions`);
  assert.equal(await other.text(), 'not ours');
});
