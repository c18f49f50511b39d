import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBrowserDefence } from './browser-defence.ts';

const defence = createBrowserDefence();

test('loopback names pass, with and without port', () => {
  for (const name of ['localhost', 'LOCALHOST', 'x.localhost', 'a.b.localhost', '127.0.0.1']) {
    for (const host of [name, `${name}:9600`]) assert.equal(defence({ host }), undefined, host);
  }
  for (const host of ['127.255.255.254:1', '[::1]', '[::1]:9600']) {
    assert.equal(defence({ host }), undefined, host);
  }
});

test('other names are refused', () => {
  const hosts = [
    undefined,
    '',
    'example.com',
    'localhost.example.com',
    'notlocalhost',
    '127.0.0.1.example.com',
    '127.0.0.256',
    '127.1',
    '0.0.0.0',
    '[::]',
    '[::1].example.com',
    'localhost:80:80',
    'localhost@example.com',
    `${'a'.repeat(5_000)}.localhost`,
  ];
  for (const host of hosts) {
    assert.equal(defence(host === undefined ? {} : { host })?.code, 'AccessDeniedException', host);
  }
});

test('an Origin must be our own', () => {
  const host = 'localhost:9600';
  assert.equal(defence({ host, origin: 'http://localhost:9600' }), undefined);
  for (const origin of ['http://localhost:3000', 'https://example.com', 'null', '']) {
    assert.equal(defence({ host, origin })?.code, 'AccessDeniedException', origin);
  }
});
