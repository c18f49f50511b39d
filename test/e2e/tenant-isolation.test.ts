/**
 * Tenant isolation from end to end: runtimes are told the tenant, and an environment serves one, whatever
 * happens to the function and however little room there is. What a tenant leaves behind on purpose is
 * test/security/tenants.test.ts.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import {
  CreateAliasCommand,
  UpdateFunctionConfigurationCommand,
  type LambdaClient,
  type Runtime,
} from '@aws-sdk/client-lambda';
import { deploy, invoke, settled } from './functions.ts';
import { drivers, HearthProcess } from './hearth-process.ts';
import { python, pythonOptions, script } from './modified-functions.ts';

const TenancyConfig = { TenantIsolationMode: 'PER_TENANT' } as const;

/** Answers with the tenants that its environment has served, the present one last. */
const source = `const served = [];
exports.handler = async ({ ms = 0 }, { tenantId }) => {
  console.log('for a tenant');
  served.push(tenantId);
  await new Promise((done) => setTimeout(done, ms));
  return served;
};`;

const pythonSource = `import logging
served = []
def handler(event, context):
    logging.getLogger().warning("for a tenant")
    served.append(context.tenant_id)
    return served
`;

const bootstrap = new URL('../fixtures/functions/provided-shell/bootstrap', import.meta.url);
const shellSource = `handler() {
  cat >/dev/null
  printf '["%s"]' "$(header Lambda-Runtime-Aws-Tenant-Id)"
}`;

for (const driver of drivers) {
  describe(`tenants on the ${driver} driver`, () => {
    let hearth: HearthProcess;
    let client: LambdaClient;

    before(async () => {
      // Fewer than the tenants that come at once.
      const flags = ['--environments-max', '3'];
      hearth = await HearthProcess.start({ driver, flags });
      ({ client } = hearth);
    });
    after(() => hearth.stopAndRemove());

    /** By its environment, which is free again when this resolves. */
    async function servedBy(name: string, TenantId: string, Qualifier?: string): Promise<unknown> {
      return (await invoke(client, name, {}, { TenantId, Qualifier })).result;
    }

    test('each has environments of its own, and finds them warm', async () => {
      await deploy(client, 'turns', { TenancyConfig, files: { 'index.js': source } });
      assert.deepEqual(await servedBy('turns', 'red'), ['red']);
      assert.deepEqual(await servedBy('turns', 'blue'), ['blue']);
      assert.deepEqual(await servedBy('turns', 'red'), ['red', 'red']);
      assert.deepEqual(await servedBy('turns', 'blue'), ['blue', 'blue']);
      const both = [0, 1].map(() => invoke(client, 'turns', { ms: 300 }, { TenantId: 'red' }));
      const counts = (await Promise.all(both)).map(({ result }) => (result as unknown[]).length);
      assert.deepEqual(counts.sort(), [1, 3], 'two at once have two');
    });

    test('many at once take turns in little room, and none sees another', async () => {
      await deploy(client, 'crowd', { TenancyConfig, files: { 'index.js': source } });
      const tenants = Array.from({ length: 12 }, (_, index) => `tenant ${index % 6}`);
      const calls = tenants.map(async (TenantId) => {
        const { result } = await invoke(client, 'crowd', { ms: 20 }, { TenantId });
        assert.deepEqual(new Set(result as string[]), new Set([TenantId]));
      });
      await Promise.all(calls);
    });

    test('versions and aliases keep them apart, too; an update ends all', async () => {
      const files = { 'index.js': source };
      await deploy(client, 'versions', { TenancyConfig, files, Publish: true });
      const alias = { FunctionName: 'versions', Name: 'live', FunctionVersion: '1' };
      await client.send(new CreateAliasCommand(alias));
      assert.deepEqual(await servedBy('versions', 'red', '1'), ['red']);
      assert.deepEqual(await servedBy('versions', 'blue', 'live'), ['blue']);
      assert.deepEqual(await servedBy('versions', 'red', 'live'), ['red', 'red']);
      assert.deepEqual(await servedBy('versions', 'red'), ['red']);
      const settings = { FunctionName: 'versions', Timeout: 9 };
      await client.send(new UpdateFunctionConfigurationCommand(settings));
      await settled(client, 'versions');
      assert.deepEqual(await servedBy('versions', 'red'), ['red'], 'a new environment');
      assert.deepEqual(await servedBy('versions', 'red', '1'), ['red', 'red', 'red']);
    });

    test('Python is told, and a custom runtime by a header', pythonOptions, async () => {
      const runtimes = {
        python: {
          Runtime: python as Runtime,
          Handler: 'app.handler',
          files: { 'app.py': pythonSource },
        },
        custom: {
          Runtime: 'provided.al2023' as const,
          Handler: 'function.handler',
          files: { bootstrap: script(readFileSync(bootstrap, 'utf8')), 'function.sh': shellSource },
        },
      };
      for (const [name, input] of Object.entries(runtimes)) {
        await deploy(client, name, { TenancyConfig, ...input });
        assert.deepEqual(await servedBy(name, 'red'), ['red'], name);
        assert.deepEqual(await servedBy(name, 'a b:c'), ['a b:c'], name);
      }
    });

    test('JSON logs name them', async () => {
      await deploy(client, 'logs', {
        TenancyConfig,
        files: { 'index.js': source },
        LoggingConfig: { LogFormat: 'JSON', SystemLogLevel: 'DEBUG' },
      });
      const { log } = await invoke(client, 'logs', {}, { TenantId: 'red' });
      const lines = log.trim().split('\n');
      const records = lines.map((line) => JSON.parse(line) as LogLine);
      const tenants = new Map(
        records.map(({ type = 'function', tenantId, record }) => [
          type,
          tenantId ?? record?.tenantId,
        ]),
      );
      for (const type of [
        'platform.start',
        'function',
        'platform.runtimeDone',
        'platform.report',
      ]) {
        assert.equal(tenants.get(type), 'red', type);
      }
      assert.equal(tenants.get('platform.initStart'), undefined);
    });
  });
}

interface LogLine {
  readonly type?: string;
  readonly tenantId?: string;
  readonly record?: { readonly tenantId?: string };
}
