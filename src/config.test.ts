import assert from 'node:assert/strict';
import { totalmem } from 'node:os';
import { isAbsolute } from 'node:path';
import { test } from 'node:test';
import { compileConfig, defaultEnvironmentsMax, type ServeFlags } from './config.ts';

const flags: ServeFlags = {
  port: 9600,
  host: '127.0.0.1',
  data: './.hearth',
  sandbox: 'auto',
  runtimePath: undefined,
  region: 'us-east-1',
  auth: 'off',
  insecure: false,
  logLevel: 'info',
  functionLogs: false,
  poolSize: 2,
  environmentLifetimeSeconds: 14_400,
  memoryBudgetMb: undefined,
  environmentsMax: 64,
  idleSeconds: 600,
  accountConcurrency: undefined,
  scalingRate: undefined,
  enforceRuntimeDeprecation: false,
};

test('defaults are filled in, and the result cannot be changed', () => {
  const config = compileConfig(flags);
  assert(isAbsolute(config.dataFolder));
  assert.equal(config.memoryBudgetMb, Math.floor((totalmem() / 1024 / 1024) * 0.8));
  assert.equal(config.idleMsMax, 600_000);
  assert.equal(config.concurrencyMax, 1000);
  assert.equal(config.scalingRateMax, 1000);
  assert.equal(config.accountId, '000000000000');
  assert.equal(config.loopbackOnly, true);
  assert(Object.isFrozen(config));
  assert(defaultEnvironmentsMax() >= 64);
});

test('numbers outside their range are refused by the name of their flag', () => {
  const wrong: [Partial<ServeFlags>, RegExp][] = [
    [{ port: 65_536 }, /--port takes a whole number from 0 to 65535/],
    [{ port: -1 }, /--port/],
    [{ accountConcurrency: 0 }, /--account-concurrency/],
    [{ scalingRate: 0 }, /--scaling-rate/],
    [{ port: 1e20 }, /--port/],
    [{ port: NaN }, /--port/],
    [{ poolSize: 65 }, /--pool-size takes a whole number from 0 to 64/],
    [{ environmentsMax: 0 }, /--environments-max takes a whole number from 1 to 10000/],
    [{ environmentsMax: 10_001 }, /--environments-max/],
    [{ idleSeconds: 0 }, /--idle-seconds takes a whole number from 1 to 86400/],
    [
      { environmentLifetimeSeconds: 59 },
      /--environment-lifetime-seconds takes .* from 60 to 86400/,
    ],
    [{ environmentLifetimeSeconds: 86_401 }, /--environment-lifetime-seconds/],
    [{ memoryBudgetMb: 127 }, /--memory-budget-mb takes a whole number from 128 to/],
    [{ memoryBudgetMb: 1.5 }, /--memory-budget-mb/],
  ];
  for (const [change, message] of wrong) {
    assert.throws(() => compileConfig({ ...flags, ...change }), { name: 'ConfigError', message });
  }
});

test('words that are none of the choices are refused', () => {
  for (const change of [
    { sandbox: 'docker' },
    { logLevel: 'loud' },
    { auth: 'iam' },
    { region: 'local' },
    { region: 'us-east-1/../x' },
  ]) {
    assert.throws(() => compileConfig({ ...flags, ...change }), { name: 'ConfigError' });
  }
  for (const region of ['eu-central-1', 'us-gov-west-1', 'ap-southeast-2']) {
    assert.equal(compileConfig({ ...flags, region }).region, region);
  }
});

test('an address that others can reach needs --insecure', () => {
  for (const host of ['0.0.0.0', '::', '192.168.1.1', 'example.org', '128.0.0.1', '']) {
    assert.throws(() => compileConfig({ ...flags, host }), {
      name: 'ConfigError',
      message: /--insecure/,
    });
    assert.equal(compileConfig({ ...flags, host, insecure: true }).loopbackOnly, false);
  }
  for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '::1']) {
    assert.equal(compileConfig({ ...flags, host }).loopbackOnly, true);
  }
});
