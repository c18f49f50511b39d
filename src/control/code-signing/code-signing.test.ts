// Goal: functions and code signing configurations, which no one commit can change together, agree
// whatever happens at once. Method: commits are held back at the store until the test lets them go.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { deferred } from '../../base/deferred.ts';
import { codeSigningCollections } from '../../model/code-signing.ts';
import { collections, type FunctionRecord } from '../../model/function.ts';
import type { Store, WriteOperation } from '../../store/store.ts';
import { createControlRig, createRequest, type ControlRig } from '../../testing/control-rig.ts';
import { zipOf } from '../../testing/zip-builder.ts';
import { codeSigningConfigKey } from './code-signing-documents.ts';

const AllowedPublishers = {
  SigningProfileVersionArns: [
    'arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/0123456789',
  ],
};
const ZipFile = zipOf({ 'index.js': 'exports.handler = async () => 2;' });

/** Holds the next commit that writes to a collection. */
class CommitGate {
  #collection: string | undefined;
  #reached = deferred<void>();
  #open = deferred<void>();

  /** Resolves once such a commit has come to the store. */
  hold(collection: string): Promise<void> {
    this.#collection = collection;
    this.#reached = deferred<void>();
    this.#open = deferred<void>();
    return this.#reached.promise;
  }

  release(): void {
    this.#open.resolve();
  }

  wrap = (store: Store): Store => {
    const commit = async (operations: readonly WriteOperation[]) => {
      if (operations.some(({ key }) => key.collection === this.#collection)) {
        this.#collection = undefined;
        this.#reached.resolve();
        await this.#open.promise;
      }
      return store.commit(operations);
    };
    return {
      get: (key) => store.get(key),
      list: (collection, options) => store.list(collection, options),
      watch: (watched, listener) => store.watch(watched, listener),
      close: () => store.close(),
      commit,
    };
  };
}

interface GatedRig {
  readonly rig: ControlRig;
  readonly gate: CommitGate;
  readonly arn: string;
  readonly configId: string;
}

async function gatedRig(t: { after(close: () => Promise<void>): void }): Promise<GatedRig> {
  const gate = new CommitGate();
  const rig = await createControlRig({ wrapStore: gate.wrap });
  t.after(() => rig.close());
  await rig.control.operations.CreateFunction(createRequest());
  await rig.settle('rig');
  const { CodeSigningConfig } = await rig.control.operations.CreateCodeSigningConfig({
    AllowedPublishers,
  });
  const { CodeSigningConfigArn: arn, CodeSigningConfigId: configId } = CodeSigningConfig;
  return { rig, gate, arn, configId };
}

/** Long enough for everything that waits for no gate. */
async function others(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
}

const client = { baseUrl: '' };
const inUse = { code: 'ResourceConflictException' };
const missing = { code: 'CodeSigningConfigNotFoundException' };

test('a configuration is not deleted while a function is being given it', async (t) => {
  const { rig, gate, arn, configId } = await gatedRig(t);
  const { operations } = rig.control;
  const held = gate.hold(collections.function);
  const put = operations.PutFunctionCodeSigningConfig({
    FunctionName: 'rig',
    CodeSigningConfigArn: arn,
  });
  await held;
  const refused = assert.rejects(
    operations.DeleteCodeSigningConfig({ CodeSigningConfigArn: arn }),
    inUse,
  );
  await others();
  assert.notEqual(await rig.store.get(codeSigningConfigKey(configId)), undefined);
  gate.release();
  await put;
  await refused;
});

test('a function is not given a configuration that is being deleted', async (t) => {
  const { rig, gate, arn } = await gatedRig(t);
  const { operations } = rig.control;
  const held = gate.hold(codeSigningCollections.config);
  const removed = operations.DeleteCodeSigningConfig({ CodeSigningConfigArn: arn });
  await held;
  const put = assert.rejects(
    operations.PutFunctionCodeSigningConfig({ FunctionName: 'rig', CodeSigningConfigArn: arn }),
    missing,
  );
  const created = assert.rejects(
    operations.CreateFunction(createRequest({ FunctionName: 'new', CodeSigningConfigArn: arn })),
    missing,
  );
  await others();
  gate.release();
  await removed;
  await put;
  await created;
  const none = await operations.GetFunctionCodeSigningConfig({ FunctionName: 'rig' });
  assert.deepEqual(none, {});
});

test('a configuration is not deleted while a function is being created with it', async (t) => {
  const { rig, gate, arn } = await gatedRig(t);
  const { operations } = rig.control;
  const held = gate.hold(collections.function);
  const created = operations.CreateFunction(
    createRequest({ FunctionName: 'new', CodeSigningConfigArn: arn }),
  );
  await held;
  const refused = assert.rejects(
    operations.DeleteCodeSigningConfig({ CodeSigningConfigArn: arn }),
    inUse,
  );
  await others();
  gate.release();
  await created;
  await refused;
});

test('new code is held to the configuration that the function has when it is committed', async (t) => {
  const { rig, gate, arn } = await gatedRig(t);
  const { operations } = rig.control;
  await operations.UpdateCodeSigningConfig({
    CodeSigningConfigArn: arn,
    CodeSigningPolicies: { UntrustedArtifactOnDeployment: 'Enforce' },
  });
  const before = await operations.GetFunction({ FunctionName: 'rig' }, client);
  const held = gate.hold(collections.function);
  const updated = assert.rejects(operations.UpdateFunctionCode({ FunctionName: 'rig', ZipFile }), {
    code: 'CodeVerificationFailedException',
  });
  await held;
  await operations.PutFunctionCodeSigningConfig({ FunctionName: 'rig', CodeSigningConfigArn: arn });
  gate.release();
  await updated;
  const after = await operations.GetFunction({ FunctionName: 'rig' }, client);
  assert.equal(after.Configuration?.CodeSha256, before.Configuration?.CodeSha256);
});

test('who has a configuration is known again after a crash', async (t) => {
  const { rig, arn } = await gatedRig(t);
  const attach = { FunctionName: 'rig', CodeSigningConfigArn: arn };
  await rig.control.operations.PutFunctionCodeSigningConfig(attach);
  await rig.restart();
  const { operations } = rig.control;
  const remove = { CodeSigningConfigArn: arn };
  await assert.rejects(operations.DeleteCodeSigningConfig(remove), inUse);
  await operations.DeleteFunction({ FunctionName: 'rig' });
  await operations.DeleteCodeSigningConfig(remove);
});

test('a function whose configuration is gone all the same gets no new code', async (t) => {
  const { rig, arn, configId } = await gatedRig(t);
  const { operations } = rig.control;
  await operations.PutFunctionCodeSigningConfig({ FunctionName: 'rig', CodeSigningConfigArn: arn });
  const key = codeSigningConfigKey(configId);
  await rig.store.commit([{ type: 'delete', key, expect: 'any' }]);
  await assert.rejects(operations.UpdateFunctionCode({ FunctionName: 'rig', ZipFile }), missing);
});

test('functions from images have no code signing', async (t) => {
  const { rig, arn } = await gatedRig(t);
  const key = { collection: collections.function, partition: 'rig', id: '' };
  const { value } = (await rig.store.get<FunctionRecord>(key))!;
  const configuration = { ...value.latest.configuration, PackageType: 'Image' };
  const image = { ...value, latest: { ...value.latest, configuration } };
  await rig.store.commit([{ type: 'put', key, value: image, expect: 'any' }]);
  const { operations } = rig.control;
  const refused = {
    code: 'InvalidParameterValueException',
    message: 'Code signing is not supported for functions created with container images.',
  };
  const FunctionName = 'rig';
  await assert.rejects(
    operations.PutFunctionCodeSigningConfig({ FunctionName, CodeSigningConfigArn: arn }),
    refused,
  );
  await assert.rejects(operations.GetFunctionCodeSigningConfig({ FunctionName }), refused);
  await assert.rejects(operations.DeleteFunctionCodeSigningConfig({ FunctionName }), refused);
  await assert.rejects(operations.GetRuntimeManagementConfig({ FunctionName }), {
    code: 'InvalidParameterValueException',
    message: 'Runtime management is not supported for functions created with container images.',
  });
});
