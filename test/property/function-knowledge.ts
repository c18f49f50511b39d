/** Right uses of the operations on functions, versions, tags and the account. */
import { absent, exactly } from './contains.ts';
import { aliasName, archives, functionArn, functionName } from './fixture.ts';
import { archiveHash, code } from './code-knowledge.ts';
import {
  configurationWith,
  functionForms,
  imageConfig,
  keyArn,
  settingsOf,
  tags,
} from './configuration-knowledge.ts';
import {
  isGone,
  read,
  revised,
  type Body,
  type Draw,
  type Journey,
  type KnowledgeTable,
  type Preparation,
  type Read,
  type Step,
} from './journey.ts';
import { knownRuntimes, pastRuntimes } from './never-right.ts';
import { shapes } from '../../src/model/service-model.ts';
import { accountId, region, role } from '../conformance/server.ts';
import {
  codeSigningArnIn,
  codeSigningCreation,
  undoCodeSigning,
} from './code-signing-knowledge.ts';
import { anyMapping } from './mapping-knowledge.ts';
import type { WireInput } from './wire-request.ts';

/** Those that no date of the service's takes away: of the others no function can be made. */
const runtimes = knownRuntimes.filter((name) => !pastRuntimes.includes(name));

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
  const isImage = random.chance(0.3);
  const { sent, shown: shownPackage, shownCode } = isImage ? image(draw) : archive(draw);
  const Tags = draw.maybe(tags(draw, 50));
  const isSigned = !isImage && random.chance(0.2);
  const settings = { ...settingsOf(draw, draw.next('created', runtimes)), ...sent };
  const { ApplyOn } = (settings['SnapStart'] ?? {}) as Body;
  const TenancyConfig = { TenantIsolationMode: 'PER_TENANT' };
  const input = draw.input('CreateFunction', {
    ...settings,
    TenancyConfig: ApplyOn === 'PublishedVersions' ? undefined : draw.maybe(TenancyConfig),
    FunctionName: random.pick(functionForms(name)),
    CodeSigningConfigArn: undefined,
    Tags,
  });
  const shown = { ...configurationWith(input), ...shownPackage, FunctionName: name };
  const arn = functionArn.replace(/[^:]+$/u, name);
  return {
    prepare: isSigned ? [codeSigningCreation] : [],
    input: (prepared) => (isSigned ? { ...input, ...codeSigningArnIn(prepared) } : input),
    answers: shown,
    reads: (_, prepared) => [
      read('GetFunctionConfiguration', { FunctionName: name }, shown),
      read('GetFunction', { FunctionName: arn }, { Configuration: shown, Code: shownCode }),
      read('ListTags', { Resource: arn }, { Tags: exactly(Tags ?? {}) }),
      ...(isImage ? [] : [codeSigningOf(name, isSigned ? prepared : {})]),
    ],
    undo: (_, prepared) => [
      ['DeleteFunction', { FunctionName: name }],
      ...(isSigned ? undoCodeSigning(prepared) : []),
    ],
  };
}

/** That of the answer that made the configuration, or none. */
function codeSigningOf(FunctionName: string, creation: Body): Read {
  const { CodeSigningConfigArn = absent } = codeSigningArnIn(creation);
  return read('GetFunctionCodeSigningConfig', { FunctionName }, { CodeSigningConfigArn });
}

/** What a function is made of, and how the configuration and GetFunction's Code show it. */
interface Package {
  /** Put over other settings; members that do not go with it are undefined. */
  readonly sent: WireInput;
  readonly shown: Body;
  readonly shownCode: Body;
}

function archive(draw: Draw): Package {
  const { archive: bytes, members } = code(draw);
  const key = keyOfSource(draw);
  return {
    sent: {
      Code: { ...members, ...key },
      Handler: draw.values.strings.valid(shapes.get('Handler')!, draw.random) || 'index.handler',
      PackageType: draw.maybe('Zip'),
      ImageConfig: undefined,
    },
    shown: { CodeSha256: archiveHash(bytes), PackageType: 'Zip' },
    shownCode: { RepositoryType: 'S3', ...shownKey(key) },
  };
}

function image(draw: Draw): Package {
  const { ImageUri, shown, shownCode } = anyImage(draw);
  return {
    sent: {
      Code: { ImageUri },
      PackageType: 'Image',
      ImageConfig: draw.maybe(imageConfig(draw)),
      ...{ Handler: undefined, Layers: undefined, Runtime: undefined, SnapStart: undefined },
    },
    shown: { ...shown, PackageType: 'Image' },
    shownCode,
  };
}

/** By tag, which only its registry knows, or by digest. */
function anyImage({ random }: Draw) {
  const repository = `${accountId}.dkr.ecr.${region}.amazonaws.com/team/image`;
  const digest = random.hex(32);
  const ImageUri = random.pick([
    `${repository}:${random.hex(2)}`,
    `${repository}@sha256:${digest}`,
  ]);
  const isResolved = ImageUri.endsWith(digest);
  return {
    ImageUri,
    shown: { CodeSha256: isResolved ? digest : absent, CodeSize: 0 },
    shownCode: {
      ImageUri,
      ResolvedImageUri: isResolved ? `${repository}@sha256:${digest}` : absent,
    },
  };
}

function keyOfSource({ random }: Draw): Body {
  return random.pick([{}, { SourceKMSKeyArn: keyArn }]);
}

/** As GetFunction shows it. */
function shownKey({ SourceKMSKeyArn = absent }: Body): Body {
  return { SourceKMSKeyArn };
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
  return draw.random.chance(0.2) ? updateImageSettings(draw) : updateSettings(draw);
}

function updateSettings(draw: Draw): Journey {
  const input = draw.input('UpdateFunctionConfiguration', {
    ...settingsOf(draw, draw.next('updated', runtimes)),
    FunctionName: draw.random.pick(functionForms()),
  });
  const shown = configurationWith(input);
  return {
    prepare: [present],
    input: revised(draw, input),
    answers: shown,
    reads: () => [
      read('GetFunctionConfiguration', { FunctionName: functionName }, shown),
      read('GetFunction', { FunctionName: functionName }, { Configuration: shown }),
    ],
  };
}

/** A function from an image, made and taken away again around a change of it. */
function withImage(draw: Draw, input: WireInput, shown: Body): Journey {
  const FunctionName = draw.newName();
  const { Code, PackageType } = image(draw).sent;
  return {
    prepare: [
      ['CreateFunction', { FunctionName, Role: role, Code, PackageType }],
      ['GetFunctionConfiguration', { FunctionName }],
    ],
    input: revised(draw, { ...input, FunctionName }),
    answers: shown,
    reads: () =>
      input['DryRun'] === true ? [] : [read('GetFunctionConfiguration', { FunctionName }, shown)],
    undo: () => [['DeleteFunction', { FunctionName }]],
  };
}

function updateImageSettings(draw: Draw): Journey {
  const input = draw.input('UpdateFunctionConfiguration', {
    ...settingsOf(draw, runtimes[0]!),
    ...{ Handler: undefined, Layers: undefined, Runtime: undefined, SnapStart: undefined },
    ImageConfig: imageConfig(draw),
  });
  return withImage(draw, input, configurationWith(input));
}

function updateImage(draw: Draw): Journey {
  const { ImageUri, shown } = anyImage(draw);
  const input = draw.input('UpdateFunctionCode', { ...noCode, ImageUri });
  const { Architectures } = input;
  return withImage(draw, input, {
    ...shown,
    ...(Architectures === undefined ? {} : { Architectures }),
  });
}

/** Members of UpdateFunctionCode that say where code is, and what the model cannot know. */
const noCode = {
  ...{ ZipFile: undefined, S3Bucket: undefined, S3Key: undefined, S3ObjectVersion: undefined },
  ...{ S3ObjectStorageMode: undefined, ImageUri: undefined, PublishTo: undefined },
  ...{ RevisionId: undefined, SourceKMSKeyArn: undefined },
};

const present: Step = ['GetFunctionConfiguration', { FunctionName: functionName }];

function updateCode(draw: Draw): Journey {
  return draw.random.chance(0.3) ? updateImage(draw) : updateArchive(draw);
}

function updateArchive(draw: Draw): Journey {
  const { archive: bytes, members } = code(draw);
  const input = draw.input('UpdateFunctionCode', {
    FunctionName: draw.random.pick(functionForms()),
    ...noCode,
    ...members,
    ...keyOfSource(draw),
  });
  const { Architectures } = input;
  const shown = {
    CodeSha256: archiveHash(bytes),
    ...(Architectures === undefined ? {} : { Architectures }),
  };
  const isWritten = input['DryRun'] !== true;
  return {
    prepare: [...plainRuntime, present],
    input: revised(draw, input),
    answers: shown,
    reads: () =>
      isWritten
        ? [
            read('GetFunctionConfiguration', { FunctionName: functionName }, shown),
            read('GetFunction', { FunctionName: functionName }, { Code: shownKey(input) }),
          ]
        : [],
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
    prepare: [
      ['CreateFunction', small(name)],
      ['GetFunctionConfiguration', { FunctionName: name }],
    ],
    input: revised(draw, input),
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

/** Something that can have tags, of each kind. */
interface Tagged {
  readonly prepare: readonly Preparation[];
  arn(prepared: Body): unknown;
  undo(prepared: Body): readonly Step[];
}

function anyTagged(draw: Draw): Tagged {
  return draw.random.pick<Tagged>([
    { prepare: [], arn: () => functionArn, undo: () => [] },
    {
      prepare: [codeSigningCreation],
      arn: (prepared) => codeSigningArnIn(prepared)['CodeSigningConfigArn'],
      undo: undoCodeSigning,
    },
    {
      prepare: [anyMapping(draw)],
      arn: ({ EventSourceMappingArn }) => EventSourceMappingArn,
      undo: ({ UUID }) => [['DeleteEventSourceMapping', { UUID }]],
    },
  ]);
}

function tagResource(draw: Draw): Journey {
  const Tags = tags(draw);
  const { prepare, arn, undo } = anyTagged(draw);
  return {
    prepare,
    input: (prepared) => ({ Resource: arn(prepared), Tags }),
    reads: (_, prepared) => [read('ListTags', { Resource: arn(prepared) }, { Tags })],
    undo: (_, prepared) => [
      ['UntagResource', { Resource: arn(prepared), TagKeys: Object.keys(Tags) }],
      ...undo(prepared),
    ],
  };
}

/** What is tagged already, with tags that can be taken away by their keys. */
function alreadyTagged(draw: Draw) {
  const Tags = tags(draw);
  const { prepare, arn, undo } = anyTagged(draw);
  const tag: Preparation = (prepared) => ['TagResource', { Resource: arn(prepared), Tags }];
  return { Tags, prepare: [...prepare, tag], arn, undo };
}

function untagResource(draw: Draw): Journey {
  const { Tags, prepare, arn, undo } = alreadyTagged(draw);
  return {
    prepare,
    input: (prepared) => ({ Resource: arn(prepared), TagKeys: Object.keys(Tags) }),
    reads: (_, prepared) => [read('ListTags', { Resource: arn(prepared) }, { Tags: exactly({}) })],
    undo: (_, prepared) => undo(prepared),
  };
}

function listTags(draw: Draw): Journey {
  const { Tags, prepare, arn, undo } = alreadyTagged(draw);
  return {
    prepare,
    input: (prepared) => ({ Resource: arn(prepared) }),
    answers: { Tags: exactly(Tags) },
    undo: (_, prepared) => [
      ['UntagResource', { Resource: arn(prepared), TagKeys: Object.keys(Tags) }],
      ...undo(prepared),
    ],
  };
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
  ListTags: listTags,
  Invoke: invoke,
  GetFunction: getFunction,
  GetFunctionConfiguration: getConfiguration,
};

/** What the fixture published, by a version's number or an alias, whose version may have changed. */
function namedVersion({ random }: Draw): { readonly input: WireInput; readonly shown: Body } {
  const Qualifier = random.pick([undefined, '$LATEST', '1', '2', aliasName]);
  const versions = {
    1: { Version: '1', Description: '', CodeSha256: archiveHash(archives[0]!) },
    2: { Version: '2', Description: 'second', CodeSha256: archiveHash(archives[0]!) },
  };
  return {
    input: {
      FunctionName: random.pick(functionForms()),
      ...(Qualifier === undefined ? {} : { Qualifier }),
    },
    shown:
      Qualifier === '1' || Qualifier === '2'
        ? versions[Qualifier]
        : {
            ...(Qualifier === aliasName ? {} : { Version: '$LATEST' }),
            FunctionName: functionName,
          },
  };
}

function getConfiguration(draw: Draw): Journey {
  const { input, shown } = namedVersion(draw);
  return { input, answers: shown };
}

function getFunction(draw: Draw): Journey {
  const { input, shown } = namedVersion(draw);
  return { input, answers: { Configuration: shown } };
}
