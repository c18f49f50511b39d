/** Where clients find a function URL. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { functionUrlAt } from './function-url.ts';

const urlId = 'abcdefghijklmnopqrstuvwxyz012345';

function at(baseUrl: string): string {
  return functionUrlAt(baseUrl, { urlId, region: 'eu-west-1' });
}

test('a URL is below the name and at the port where the client reached the server', () => {
  for (const [host, expected] of [
    ['localhost:9600', 'localhost:9600'],
    ['hearth:9600', 'hearth:9600'],
    ['LAMBDA.example.com', 'lambda.example.com'],
  ]) {
    assert.equal(at(`http://${host}`), `http://${urlId}.lambda-url.eu-west-1.${expected}/`);
  }
});

test('addresses have no names below them, and names below localhost none but these', () => {
  for (const host of ['127.0.0.1', '127.1', '[::1]', '192.168.1.2', 'a.b.localhost']) {
    assert.equal(at(`http://${host}:9600`), `http://${urlId}.lambda-url.eu-west-1.localhost:9600/`);
  }
  for (const host of ['', 'a b', 'localhost:99999']) {
    assert.equal(at(`http://${host}`), `http://${urlId}.lambda-url.eu-west-1.localhost/`);
  }
});
