#!/usr/bin/env node
// An external extension: it registers before the function is initialized, and prints all it is told
// after that. (node:http and not fetch, which would not wait for the next event for ever.)
import { request } from 'node:http';
import { basename } from 'node:path';

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2020-01-01/extension`;

function call(method, path, headers, body) {
  return new Promise((resolve, reject) => {
    const sent = request(`${api}${path}`, { method, headers }, async (response) => {
      const text = (await response.toArray()).join('');
      resolve({ headers: response.headers, answer: JSON.parse(text) });
    });
    sent.on('error', reject).end(body);
  });
}

const name = basename(process.argv[1]);
const registered = await call(
  'POST',
  '/register',
  { 'Lambda-Extension-Name': name },
  JSON.stringify({ events: ['INVOKE', 'SHUTDOWN'] }),
);
console.log(`watch: registered with ${registered.answer.functionName}`);
const id = { 'Lambda-Extension-Identifier': registered.headers['lambda-extension-identifier'] };

let event;
do {
  event = (await call('GET', '/event/next', id)).answer;
  const leftMs = event.deadlineMs - Date.now();
  console.log(`watch: ${event.eventType}, ${leftMs} ms left`);
} while (event.eventType !== 'SHUTDOWN');
