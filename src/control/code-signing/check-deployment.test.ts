import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import type { CodeSigningPolicy } from '../../model/generated/api-types.ts';
import { createControlRig, createRequest, type ControlRig } from '../../testing/control-rig.ts';
import { zipOf } from '../../testing/zip-builder.ts';

const FunctionName = 'rig';
const ZipFile = zipOf({ 'index.js': 'exports.handler = async () => 2;' });
const AllowedPublishers = {
  SigningProfileVersionArns: [
    'arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/0123456789',
  ],
};

/** A rig, and what it logs of signatures. */
async function loggingRig(t: { after(close: () => Promise<void>): void }) {
  const logged: string[] = [];
  const write = (line: string): void => {
    const { msg, functionName } = JSON.parse(line) as { msg: string; functionName?: string };
    if (msg.includes('signed')) logged.push(`${functionName}: ${msg}`);
  };
  const rig = await createControlRig({ log: pino({ level: 'warn' }, { write }) });
  t.after(() => rig.close());
  return { rig, logged };
}

async function configWith(
  { control }: ControlRig,
  UntrustedArtifactOnDeployment: CodeSigningPolicy,
): Promise<string> {
  const { CodeSigningConfig } = await control.operations.CreateCodeSigningConfig({
    AllowedPublishers,
    CodeSigningPolicies: { UntrustedArtifactOnDeployment },
  });
  return CodeSigningConfig.CodeSigningConfigArn;
}

const deployed = `${FunctionName}: deployed code that is not signed`;
const refused = `${FunctionName}: refused code that is not signed`;

test('with Warn each deployment is logged once it is done, and nothing else is', async (t) => {
  const { rig, logged } = await loggingRig(t);
  const { operations } = rig.control;
  const CodeSigningConfigArn = await configWith(rig, 'Warn');
  await operations.CreateFunction(createRequest({ CodeSigningConfigArn }));
  await rig.settle(FunctionName);
  assert.deepEqual(logged, [deployed]);
  await operations.UpdateFunctionCode({ FunctionName, ZipFile, DryRun: true });
  await assert.rejects(
    operations.UpdateFunctionCode({ FunctionName, ZipFile: Buffer.from('no archive') }),
  );
  await operations.UpdateFunctionConfiguration({ FunctionName, Timeout: 9 });
  await rig.settle(FunctionName);
  assert.deepEqual(logged, [deployed]);
  await operations.UpdateFunctionCode({ FunctionName, ZipFile });
  await rig.settle(FunctionName);
  const layer = await operations.PublishLayerVersion(
    { LayerName: 'layer', Content: { ZipFile } },
    { baseUrl: '' },
  );
  const Layers = [layer.LayerVersionArn ?? ''];
  await operations.UpdateFunctionConfiguration({ FunctionName, Layers });
  await rig.settle(FunctionName);
  assert.deepEqual(logged, [deployed, deployed, deployed]);
});

test('with Enforce each refusal is logged; without a configuration nothing is', async (t) => {
  const { rig, logged } = await loggingRig(t);
  const { operations } = rig.control;
  const CodeSigningConfigArn = await configWith(rig, 'Enforce');
  const failed = { code: 'CodeVerificationFailedException' };
  await assert.rejects(operations.CreateFunction(createRequest({ CodeSigningConfigArn })), failed);
  assert.deepEqual(logged, [refused]);
  await operations.CreateFunction(createRequest());
  await rig.settle(FunctionName);
  await operations.PutFunctionCodeSigningConfig({ FunctionName, CodeSigningConfigArn });
  assert.deepEqual(logged, [refused]);
  await assert.rejects(operations.UpdateFunctionCode({ FunctionName, ZipFile }), failed);
  assert.deepEqual(logged, [refused, refused]);
});

test('a refused deployment leaves no code behind', async (t) => {
  const { rig } = await loggingRig(t);
  const { operations } = rig.control;
  await operations.CreateFunction(createRequest());
  await rig.settle(FunctionName);
  const CodeSigningConfigArn = await configWith(rig, 'Enforce');
  await operations.PutFunctionCodeSigningConfig({ FunctionName, CodeSigningConfigArn });
  await assert.rejects(operations.UpdateFunctionCode({ FunctionName, ZipFile }));
  const { blobs, trees } = await rig.codeAfterClose();
  assert.equal(blobs.length, 1);
  assert.deepEqual(trees, blobs);
});
