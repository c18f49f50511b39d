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
  codeStorageMb: undefined,
  codeZippedMb: undefined,
  codeUnzippedMb: undefined,
  environmentKb: undefined,
  layersMax: undefined,
  settleDelayMs: undefined,
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
    [{ codeStorageMb: 0 }, /--code-storage-mb takes a whole number from 1 to 1073741824/],
    [{ codeStorageMb: 1024 ** 3 + 1 }, /--code-storage-mb/],
    [{ codeZippedMb: 0 }, /--code-zipped-mb takes a whole number from 1 to 250/],
    [{ codeZippedMb: 251 }, /--code-zipped-mb/],
    [{ codeUnzippedMb: 0 }, /--code-unzipped-mb takes a whole number from 1 to 1024/],
    [{ codeUnzippedMb: 1025 }, /--code-unzipped-mb/],
    [{ environmentKb: 0 }, /--environment-kb takes a whole number from 1 to 64/],
    [{ environmentKb: 65 }, /--environment-kb/],
    [{ layersMax: 0 }, /--layers-max takes a whole number from 1 to 20/],
    [{ layersMax: 21 }, /--layers-max/],
    [{ settleDelayMs: 600_001 }, /--settle-delay-ms takes a whole number from 0 to 600000/],
  ];
  for (const [change, message] of wrong) {
    assert.throws(() => compileConfig({ ...flags, ...change }), { name: 'ConfigError', message });
  }
});

test('quotas are the documented ones unless flags say otherwise', () => {
  assert.deepEqual(compileConfig(flags).quotas, {
    codeStorageBytesMax: 80_530_636_800,
    codeZippedBytesMax: 52_428_800,
    codeUnzippedBytesMax: 262_144_000,
    environmentBytesMax: 4096,
    layersPerFunctionMax: 5,
  });
  const changed = compileConfig({
    ...flags,
    codeStorageMb: 1,
    codeZippedMb: 250,
    codeUnzippedMb: 1024,
    environmentKb: 64,
    layersMax: 20,
    settleDelayMs: 600_000,
  });
  assert.deepEqual(changed.quotas, {
    codeStorageBytesMax: 1_048_576,
    codeZippedBytesMax: 262_144_000,
    codeUnzippedBytesMax: 1_073_741_824,
    environmentBytesMax: 65_536,
    layersPerFunctionMax: 20,
  });
  assert.equal(changed.settleDelayMs, 600_000);
});

test('the S3 endpoint is the more specific of the two variables', (t) => {
  const names = ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'] as const;
  const before = names.map((name) => process.env[name]);
  t.after(() => {
    for (const [index, name] of names.entries()) setVariable(name, before[index]);
  });
  const endpointWith = (specific?: string, general?: string): string | undefined => {
    setVariable('AWS_ENDPOINT_URL_S3', specific);
    setVariable('AWS_ENDPOINT_URL', general);
    return compileConfig(flags).s3Endpoint;
  };
  assert.equal(endpointWith(), undefined);
  assert.equal(endpointWith('', ''), undefined);
  assert.equal(endpointWith(undefined, 'http://127.0.0.1:9000'), 'http://127.0.0.1:9000');
  assert.equal(endpointWith('https://one', 'http://two'), 'https://one');
  for (const wrong of ['127.0.0.1:9000', 'ftp://one', 'http://', 'http://a b']) {
    assert.throws(() => endpointWith(wrong), {
      name: 'ConfigError',
      message: /^AWS_ENDPOINT_URL_S3=.* is not an address/,
    });
  }
});

function setVariable(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

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
