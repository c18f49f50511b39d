/** Right uses of the operations on functions, versions, tags and the account. */
import { createHash } from 'node:crypto';
import { archives, functionArn, functionName } from './fixture.ts';
import { configurationWith, functionForms, settingsOf, tags } from './configuration-knowledge.ts';
import {
  isGone,
  read,
  type Body,
  type Draw,
  type Journey,
  type KnowledgeTable,
  type Step,
} from './journey.ts';
import type { Runtime } from '../../src/model/generated/api-types.ts';
import { isOffered, runtimes as runtimeDates } from '../../src/model/runtimes.ts';
import { shapes } from '../../src/model/service-model.ts';
import { role } from '../conformance/server.ts';
import type { WireInput } from './wire-request.ts';

/** Those that no date of the service's takes away: of the others no function can be made. */
const runtimes = Object.entries(runtimeDates)
  .filter(([name, { blockCreate }]) => blockCreate === undefined || isOffered(name as Runtime))
  .map(([name]) => name);

function archiveHash(archive: string): string {
  return createHash('sha256').update(Buffer.from(archive, 'base64')).digest('base64');
}

function small(name: string): WireInput {
  return {
    FunctionName: name,
    Role: role,
    Runtime: 'nodejs24.x',
    Handler: 'index.handler',
    Code: { ZipFile: archives[0] },
  };
}

function createFunction(draw: Draw): Journey {
  const { random } = draw;
  const name = draw.newName();
  const archive = random.pick(archives);
  const Tags = draw.maybe(tags(draw, 50));
  const settings = settingsOf(draw, random.pick(runtimes));
  const hasSnapshots = (settings['SnapStart'] as Body)['ApplyOn'] === 'PublishedVersions';
  const TenancyConfig = { TenantIsolationMode: 'PER_TENANT' };
  const input = draw.input('CreateFunction', {
    ...settings,
    TenancyConfig: hasSnapshots ? undefined : draw.maybe(TenancyConfig),
    FunctionName: random.pick(functionForms(name)),
    Code: { ZipFile: archive },
    Handler: draw.values.strings.valid(shapes.get('Handler')!, random) || 'index.handler',
    PackageType: draw.maybe('Zip'),
    CodeSigningConfigArn: undefined,
    Tags,
  });
  const shown = {
    ...configurationWith(input),
    FunctionName: name,
    CodeSha256: archiveHash(archive),
  };
  const arn = functionArn.replace(/[^:]+$/u, name);
  return {
    input,
    answers: shown,
    reads: () => [
      read('GetFunctionConfiguration', { FunctionName: name }, shown),
      read('GetFunction', { FunctionName: arn }, { Configuration: shown }),
      read('ListTags', { Resource: arn }, { Tags: Tags ?? {} }),
    ],
    undo: () => [['DeleteFunction', { FunctionName: name }]],
  };
}

function deleteFunction(draw: Draw): Journey {
  const name = draw.newName();
  const version = draw.maybe('1');
  return {
    prepare: [['CreateFunction', { ...small(name), Publish: true }]],
    input: { FunctionName: draw.random.pick(functionForms(name)), Qualifier: version },
    reads: () => [
      isGone('GetFunction', { FunctionName: name, Qualifier: '1' }),
      version === undefined
        ? isGone('GetFunctionConfiguration', { FunctionName: name })
        : read('GetFunctionConfiguration', { FunctionName: name }, { FunctionName: name }),
    ],
    undo: () => (version === undefined ? [] : [['DeleteFunction', { FunctionName: name }]]),
  };
}

function updateConfiguration(draw: Draw): Journey {
  const input = draw.input('UpdateFunctionConfiguration', {
    ...settingsOf(draw, draw.random.pick(runtimes)),
    // Versions of the fixture stay alike, so that an alias may have two of them.
    Role: undefined,
    FunctionName: draw.random.pick(functionForms()),
  });
  const shown = configurationWith(input);
  return {
    input,
    answers: shown,
    reads: () => [
      read('GetFunctionConfiguration', { FunctionName: functionName }, shown),
      read('GetFunction', { FunctionName: functionName }, { Configuration: shown }),
    ],
  };
}

function updateCode(draw: Draw): Journey {
  const archive = draw.random.pick(archives);
  const input = draw.input('UpdateFunctionCode', {
    FunctionName: draw.random.pick(functionForms()),
    ZipFile: archive,
    ...{ S3Bucket: undefined, S3Key: undefined, S3ObjectVersion: undefined },
    ...{ S3ObjectStorageMode: undefined, ImageUri: undefined, PublishTo: undefined },
    ...{ RevisionId: undefined, SourceKMSKeyArn: undefined },
  });
  const { Architectures } = input;
  const shown = {
    CodeSha256: archiveHash(archive),
    ...(Architectures === undefined ? {} : { Architectures }),
  };
  const isWritten = input['DryRun'] !== true;
  return {
    prepare: plainRuntime,
    input,
    answers: shown,
    reads: () =>
      isWritten ? [read('GetFunctionConfiguration', { FunctionName: functionName }, shown)] : [],
  };
}

/** Without snapshots: nobody prepares any here, and a version would never be ready. */
const plainRuntime: readonly Step[] = [
  [
    'UpdateFunctionConfiguration',
    { FunctionName: functionName, Runtime: 'nodejs24.x', SnapStart: { ApplyOn: 'None' } },
  ],
];

function publishVersion(draw: Draw): Journey {
  const name = draw.newName();
  const input = draw.input('PublishVersion', {
    FunctionName: draw.random.pick(functionForms(name)),
    CodeSha256: draw.maybe(archiveHash(archives[0]!)),
    ...{ RevisionId: undefined, PublishTo: undefined },
  });
  const { Description = '' } = input;
  const shown = { Version: '1', Description, CodeSha256: archiveHash(archives[0]!) };
  const version = { FunctionName: name, Qualifier: '1' };
  return {
    prepare: [['CreateFunction', small(name)]],
    input,
    answers: shown,
    reads: (answer) => [
      read('GetFunctionConfiguration', version, answer),
      read('GetFunction', version, { Configuration: shown }),
      read(
        'ListVersionsByFunction',
        { FunctionName: name },
        { Versions: [{ Version: '$LATEST' }, shown] },
      ),
    ],
    undo: () => [['DeleteFunction', { FunctionName: name }]],
  };
}

function tagResource(draw: Draw): Journey {
  const Tags = tags(draw);
  return {
    input: { Resource: functionArn, Tags },
    reads: () => [
      read('ListTags', { Resource: functionArn }, { Tags }),
      read('GetFunction', { FunctionName: functionName }, { Tags }),
    ],
    undo: () => [['UntagResource', { Resource: functionArn, TagKeys: Object.keys(Tags) }]],
  };
}

function untagResource(draw: Draw): Journey {
  const Tags = tags(draw);
  return {
    prepare: [['TagResource', { Resource: functionArn, Tags }]],
    input: { Resource: functionArn, TagKeys: Object.keys(Tags) },
    reads: () => [read('ListTags', { Resource: functionArn }, { Tags: isEmpty })],
  };
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** Dry: what runs functions is tested elsewhere. */
function invoke(draw: Draw): Journey {
  const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64');
  const { random } = draw;
  return {
    input: draw.input('Invoke', {
      FunctionName: random.pick(functionForms()),
      InvocationType: 'DryRun',
      Qualifier: draw.maybe(random.pick(['$LATEST', '1', '2', 'live'])),
      ClientContext: draw.maybe(base64({ custom: { name: 'ü' } })),
      Payload: draw.maybe(base64(random.pick([null, 1, 'ü', [], { a: [1, 'x'] }]))),
      ...{ DurableExecutionName: undefined, TenantId: undefined },
    }),
  };
}

export const functionKnowledge: KnowledgeTable = {
  CreateFunction: createFunction,
  DeleteFunction: deleteFunction,
  UpdateFunctionConfiguration: updateConfiguration,
  UpdateFunctionCode: updateCode,
  PublishVersion: publishVersion,
  TagResource: tagResource,
  UntagResource: untagResource,
  ListTags: () => ({ input: { Resource: functionArn } }),
  Invoke: invoke,
  GetAccountSettings: () => ({ input: {}, answers: { AccountUsage: {}, AccountLimit: {} } }),
  GetFunction: (draw) => ({ input: namedVersion(draw) }),
  GetFunctionConfiguration: (draw) => ({ input: namedVersion(draw) }),
  ListFunctions: (draw) => ({
    input: draw.input('ListFunctions', { Marker: undefined, MasterRegion: undefined }),
  }),
  ListVersionsByFunction: (draw) => ({
    input: draw.input('ListVersionsByFunction', { FunctionName: functionName, Marker: undefined }),
  }),
};

function namedVersion({ random }: Draw): WireInput {
  const Qualifier = random.pick([undefined, '$LATEST', '1', '2', 'live']);
  return { FunctionName: random.pick(functionForms()), Qualifier };
}
