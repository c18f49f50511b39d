import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ControlPlane } from '../control-plane.ts';
import type {
  FunctionConfiguration,
  ListFunctionsRequest,
} from '../../model/generated/api-types.ts';
import { createControlRig, createRequest, rigZip } from '../../testing/control-rig.ts';
import { PAGE_ITEMS_MAX } from '../list-marker.ts';

async function allPages(
  control: ControlPlane,
  input: ListFunctionsRequest,
): Promise<{ pages: number; functions: FunctionConfiguration[] }> {
  const functions: FunctionConfiguration[] = [];
  let Marker: string | undefined;
  let pages = 0;
  do {
    const page = await control.operations.ListFunctions({ ...input, Marker });
    functions.push(...(page.Functions ?? []));
    Marker = page.NextMarker;
    pages += 1;
  } while (Marker !== undefined);
  return { pages, functions };
}

const nameOf = ({ FunctionName, Version }: FunctionConfiguration): string =>
  `${FunctionName}:${Version}`;

test('listFunctions pages by name, and leaves out states', async (t) => {
  const rig = await createControlRig();
  t.after(() => rig.close());
  const names = ['b', 'a', 'd', 'c', 'A'];
  for (const name of names)
    await rig.control.operations.CreateFunction(createRequest({ FunctionName: name }));
  for (const MaxItems of [1, 2, 4, 5, 50]) {
    const { pages, functions } = await allPages(rig.control, { MaxItems });
    assert.deepEqual(
      functions.map(nameOf),
      [...names].sort().map((name) => `${name}:$LATEST`),
    );
    assert.equal(pages, Math.ceil(names.length / MaxItems));
    assert.equal(functions[0]?.FunctionArn?.endsWith(':function:A'), true);
  }
  const [entry = {}] = (await rig.control.operations.ListFunctions({})).Functions ?? [];
  const left = Object.keys(entry).filter((name) => /^(State|LastUpdate|RuntimeVersion)/.test(name));
  assert.deepEqual(left, []);
  assert.equal(entry.CodeSize, rigZip.length);
});

test('listFunctions gives at most 50, whatever is asked for', async (t) => {
  const rig = await createControlRig();
  t.after(() => rig.close());
  for (let index = 0; index <= PAGE_ITEMS_MAX; index += 1) {
    await rig.control.operations.CreateFunction(createRequest({ FunctionName: `f${100 + index}` }));
  }
  const first = await rig.control.operations.ListFunctions({ MaxItems: 10_000 });
  assert.equal(first.Functions?.length, PAGE_ITEMS_MAX);
  const second = await rig.control.operations.ListFunctions({ Marker: first.NextMarker });
  assert.equal(second.Functions?.length, 1);
  assert.equal(second.NextMarker, undefined);
});

test('listFunctions with ALL gives versions after their function, over page ends', async (t) => {
  const rig = await createControlRig();
  t.after(() => rig.close());
  const expected: string[] = [];
  for (const FunctionName of ['one', 'three', 'two']) {
    await rig.control.operations.CreateFunction(createRequest({ FunctionName }));
    await rig.settle(FunctionName);
    expected.push(`${FunctionName}:$LATEST`);
    for (let Timeout = 1; FunctionName !== 'three' && Timeout <= 3; Timeout += 1) {
      await rig.control.operations.UpdateFunctionConfiguration({ FunctionName, Timeout });
      await rig.settle(FunctionName);
      await rig.control.operations.PublishVersion({ FunctionName });
      expected.push(`${FunctionName}:${Timeout}`);
    }
  }
  for (const MaxItems of [1, 2, 3, 4, 5, 8, 9]) {
    const { functions } = await allPages(rig.control, { FunctionVersion: 'ALL', MaxItems });
    assert.deepEqual(functions.map(nameOf), expected, `MaxItems ${MaxItems}`);
  }
  const { functions } = await allPages(rig.control, { FunctionVersion: 'ALL' });
  const arns = functions.map(({ FunctionArn }) => FunctionArn?.split(':').slice(6).join(':'));
  assert.deepEqual(arns, expected);
});

test('listVersionsByFunction pages $LATEST and versions by number', async (t) => {
  const rig = await createControlRig();
  t.after(() => rig.close());
  const FunctionName = 'rig';
  await rig.control.operations.CreateFunction(createRequest());
  await rig.settle(FunctionName);
  for (let Timeout = 1; Timeout <= 11; Timeout += 1) {
    await rig.control.operations.UpdateFunctionConfiguration({ FunctionName, Timeout });
    await rig.settle(FunctionName);
    await rig.control.operations.PublishVersion({ FunctionName });
  }
  const expected = ['$LATEST', ...Array.from({ length: 11 }, (_, index) => String(index + 1))];
  for (const MaxItems of [1, 3, 12, undefined]) {
    const versions: (string | undefined)[] = [];
    let Marker: string | undefined;
    do {
      const page = await rig.control.operations.ListVersionsByFunction({
        FunctionName,
        MaxItems,
        Marker,
      });
      versions.push(...(page.Versions ?? []).map(({ Version }) => Version));
      Marker = page.NextMarker;
    } while (Marker !== undefined);
    assert.deepEqual(versions, expected);
  }
});

test('listings refuse markers that are not theirs and functions that are not there', async (t) => {
  const rig = await createControlRig();
  t.after(() => rig.close());
  const code = 'InvalidParameterValueException';
  await assert.rejects(rig.control.operations.ListFunctions({ Marker: 'nonsense!' }), { code });
  await assert.rejects(rig.control.operations.ListFunctions({ MasterRegion: 'us-east-1' }), {
    code,
  });
  await assert.rejects(rig.control.operations.ListVersionsByFunction({ FunctionName: 'rig' }), {
    code: 'ResourceNotFoundException',
  });
});

test('listFunctions passes over what was deleted between pages', async (t) => {
  const rig = await createControlRig();
  t.after(() => rig.close());
  for (const FunctionName of ['a', 'b', 'c']) {
    await rig.control.operations.CreateFunction(createRequest({ FunctionName }));
  }
  const first = await rig.control.operations.ListFunctions({ MaxItems: 1, FunctionVersion: 'ALL' });
  await rig.control.operations.DeleteFunction({ FunctionName: 'a' });
  await rig.control.operations.DeleteFunction({ FunctionName: 'b' });
  const second = await rig.control.operations.ListFunctions({
    Marker: first.NextMarker,
    FunctionVersion: 'ALL',
  });
  assert.deepEqual(second.Functions?.map(nameOf), ['c:$LATEST']);
});

test('getAccountSettings counts functions and their code', async (t) => {
  const rig = await createControlRig({ concurrentExecutions: 77 });
  t.after(() => rig.close());
  assert.deepEqual(await rig.control.operations.GetAccountSettings(), {
    AccountLimit: {
      TotalCodeSize: 80_530_636_800,
      CodeSizeUnzipped: 262_144_000,
      CodeSizeZipped: 52_428_800,
      ConcurrentExecutions: 77,
      UnreservedConcurrentExecutions: 77,
    },
    AccountUsage: { TotalCodeSize: 0, FunctionCount: 0 },
  });
  await rig.control.operations.CreateFunction(createRequest({ FunctionName: 'a', Publish: true }));
  await rig.control.operations.CreateFunction(createRequest({ FunctionName: 'b' }));
  await rig.restart();
  const counted = await rig.control.operations.GetAccountSettings();
  assert.deepEqual(counted.AccountUsage, { TotalCodeSize: rigZip.length * 3, FunctionCount: 2 });
  await rig.control.operations.DeleteFunction({ FunctionName: 'a' });
  const { AccountUsage } = await rig.control.operations.GetAccountSettings();
  assert.deepEqual(AccountUsage, { TotalCodeSize: rigZip.length, FunctionCount: 1 });
});
