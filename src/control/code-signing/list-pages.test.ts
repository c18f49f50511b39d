import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeSigningConfigArn, type CodeSigningConfigRecord } from '../../model/code-signing.ts';
import type { FunctionRecord } from '../../model/function.ts';
import { limits } from '../../model/limits.ts';
import { activeRig } from '../../testing/control-rig.ts';
import { functionKey } from '../functions/function-documents.ts';
import { codeSigningConfigKey } from './code-signing-documents.ts';

const count = limits.codeSigningPageItemsMax + 1;

test('a page has all configurations, up to the bound', async (t) => {
  const { store, control } = await activeRig(t);
  const { ListCodeSigningConfigs } = control.operations;
  const record: Omit<CodeSigningConfigRecord, 'configId'> = {
    description: null,
    signingProfileVersionArns: [],
    untrustedArtifactOnDeployment: 'Warn',
    lastModified: '',
    tags: {},
  };
  for (let index = 0; index < count; index += 1) {
    const configId = `csc-${String(index).padStart(17, '0')}`;
    const key = codeSigningConfigKey(configId);
    await store.commit([{ type: 'put', key, value: { ...record, configId }, expect: 'absent' }]);
  }
  const first = await ListCodeSigningConfigs({});
  assert.equal(first.CodeSigningConfigs?.length, count - 1);
  const last = await ListCodeSigningConfigs({ Marker: first.NextMarker });
  assert.equal(last.CodeSigningConfigs?.length, 1);
  assert.equal(last.NextMarker, undefined);
});

test('a page has all functions of a configuration, up to the bound', async (t) => {
  const { store, control } = await activeRig(t);
  const { CodeSigningConfig } = await control.operations.CreateCodeSigningConfig({
    AllowedPublishers: { SigningProfileVersionArns: ['arn:aws:signer:us-east-1:000000000000:p'] },
  });
  const { CodeSigningConfigId: codeSigningConfigId } = CodeSigningConfig;
  const settings = { accountId: '000000000000', region: 'us-east-1' };
  const CodeSigningConfigArn = codeSigningConfigArn(settings, codeSigningConfigId);
  const { value } = (await store.get<FunctionRecord>(functionKey('rig')))!;
  for (let index = 0; index < count; index += 1) {
    const key = functionKey(`f${index}`);
    const attached = { ...value, codeSigningConfigId };
    await store.commit([{ type: 'put', key, value: attached, expect: 'absent' }]);
  }
  const list = control.operations.ListFunctionsByCodeSigningConfig;
  const first = await list({ CodeSigningConfigArn });
  assert.equal(first.FunctionArns?.length, count - 1);
  const last = await list({ CodeSigningConfigArn, Marker: first.NextMarker });
  assert.equal(last.FunctionArns?.length, 1);
  assert.equal(last.NextMarker, undefined);
});
