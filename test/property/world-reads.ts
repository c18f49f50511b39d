/** What reading a server has to show of a world: listings, in their order and with nothing else, and single things. */
import type { ApiOperationName } from '../../src/model/generated/api-types.ts';
import { limits } from '../../src/model/limits.ts';
import { shapes } from '../../src/model/service-model.ts';
import { arnOf, region } from '../conformance/server.ts';
import { archiveHash } from './code-knowledge.ts';
import { absent, exactly } from './contains.ts';
import { functionForms } from './configuration-knowledge.ts';
import { read, type Body, type Draw, type Read } from './journey.ts';
import { anyOf, urlOf } from './world-changes.ts';
import type { MadeFunction, MadeLayer, MadeVersion, World } from './world.ts';

export interface Listing {
  readonly input: Body;
  /** Of the answer: it holds the items. */
  readonly member: string;
  /** All pages together, in order: each item contains this. */
  readonly items: readonly unknown[];
}

type MakeListing = (world: World, draw: Draw) => Listing | undefined;

function byName<Value>(entries: Iterable<readonly [string, Value]>): (readonly [string, Value])[] {
  return [...entries].sort(([one], [other]) => (one < other ? -1 : 1));
}

function functionsOf(world: World): MadeFunction[] {
  return byName(world.functions).map(([, made]) => made);
}

function shownVersion(made: MadeFunction, number: number | undefined, arn = number): Body {
  const version = number === undefined ? made.latest : made.versions.get(number)!;
  return {
    FunctionName: made.name,
    FunctionArn: arn === undefined ? arnOf(made.name) : `${arnOf(made.name)}:${arn}`,
    Version: number === undefined ? '$LATEST' : String(number),
    ...shownCode(version),
  };
}

function shownCode({ archive, description }: MadeVersion): Body {
  return { CodeSha256: archiveHash(archive), Description: description };
}

/** $LATEST, with its qualifier in the ARN, and the versions upwards. */
function versionsOf(made: MadeFunction): Body[] {
  const latest = { ...shownVersion(made, undefined), FunctionArn: `${arnOf(made.name)}:$LATEST` };
  const numbers = [...made.versions.keys()].sort((one, other) => one - other);
  return [latest, ...numbers.map((number) => shownVersion(made, number))];
}

const listFunctions: MakeListing = (world, { random }) => {
  const member = 'Functions';
  const MasterRegion = random.pick([undefined, 'ALL', region]);
  if (random.chance(0.5)) {
    const items = functionsOf(world).map((made) => shownVersion(made, undefined));
    return { member, input: {}, items };
  }
  return {
    member,
    input: { FunctionVersion: 'ALL', ...(MasterRegion === undefined ? {} : { MasterRegion }) },
    // Copies at the edge are of a region; there are none.
    items: MasterRegion === region ? [] : functionsOf(world).flatMap(versionsOf),
  };
};

/** A listing of one of the functions, by any form of its name. */
function ofFunction(
  member: string,
  itemsOf: (made: MadeFunction) => readonly unknown[],
): MakeListing {
  return (world, draw) => {
    const made = anyOf(draw, world.functions.values());
    if (made === undefined) return undefined;
    const input = { FunctionName: draw.random.pick(functionForms(made.name)) };
    return { member, input, items: itemsOf(made) };
  };
}

function qualifiedArn(made: MadeFunction, qualifier: string): string {
  return `${arnOf(made.name)}:${qualifier}`;
}

const listAliases: MakeListing = (world, draw) => {
  const made = anyOf(draw, world.functions.values());
  if (made === undefined) return undefined;
  const version = draw.random.pick([undefined, '$LATEST', ...made.versions.keys()]);
  const FunctionVersion = version === undefined ? undefined : String(version);
  const wanted = byName(made.aliases).filter(
    ([, target]) => FunctionVersion === undefined || target === FunctionVersion,
  );
  return {
    member: 'Aliases',
    input: {
      FunctionName: made.name,
      ...(FunctionVersion === undefined ? {} : { FunctionVersion }),
    },
    items: wanted.map(([Name, target]) => ({
      Name,
      FunctionVersion: target,
      AliasArn: qualifiedArn(made, Name),
    })),
  };
};

const runtimes = shapes.get('Runtime')?.enumValues ?? [];

interface LayerFilter {
  readonly CompatibleRuntime?: string;
  readonly CompatibleArchitecture?: string;
}

function layerFilter(draw: Draw, purpose: string): LayerFilter {
  const { random } = draw;
  return {
    ...(random.chance(0.8) ? { CompatibleRuntime: draw.next(purpose, runtimes) } : {}),
    ...(random.chance(0.3) ? { CompatibleArchitecture: random.pick(['x86_64', 'arm64']) } : {}),
  };
}

/** The newest first. */
function layerVersionsOf(made: MadeLayer, filter: LayerFilter): Body[] {
  const { CompatibleRuntime: runtime, CompatibleArchitecture: architecture } = filter;
  return [...made.versions]
    .filter(
      ([, { runtimes: names, architectures }]) =>
        (runtime === undefined || names.includes(runtime)) &&
        (architecture === undefined || architectures.includes(architecture)),
    )
    .sort(([one], [other]) => other - one)
    .map(([Version, { description: Description }]) => ({ Version, Description }));
}

const listLayerVersions: MakeListing = (world, draw) => {
  const made = anyOf(draw, world.layers.values());
  if (made === undefined) return undefined;
  const filter = layerFilter(draw, 'layer versions');
  const input = { LayerName: made.name, ...filter };
  const items = layerVersionsOf(made, filter);
  return { member: 'LayerVersions', input, items };
};

const listLayers: MakeListing = (world, draw) => {
  const input = layerFilter(draw, 'layers listed');
  const items = byName(world.layers).flatMap(([LayerName, made]) => {
    const [newest] = layerVersionsOf(made, {});
    return layerVersionsOf(made, input)
      .filter(({ Version }) => Version === newest?.['Version'])
      .map((LatestMatchingVersion) => ({ LayerName, LatestMatchingVersion }));
  });
  return { member: 'Layers', input: { ...input }, items };
};

const listMappings: MakeListing = (world, draw) => {
  const all = byName(world.mappings).map(([, shown]) => shown);
  const one = anyOf(draw, all);
  const name = draw.random.pick([undefined, 'FunctionArn', 'EventSourceArn'] as const);
  const value = name === undefined ? undefined : one?.[name];
  const filter = name === 'FunctionArn' ? 'FunctionName' : 'EventSourceArn';
  const isAll = name === undefined || value === undefined;
  return {
    member: 'EventSourceMappings',
    input: isAll ? {} : { [filter]: value },
    items: isAll ? all : all.filter((shown) => shown[name] === value),
  };
};

const listUsers: MakeListing = (world, draw) => {
  const CodeSigningConfigArn = anyOf(draw, world.codeSigningConfigs.keys());
  if (CodeSigningConfigArn === undefined) return undefined;
  return {
    member: 'FunctionArns',
    input: { CodeSigningConfigArn },
    items: functionsOf(world)
      .filter((made) => made.codeSigningConfigArn === CodeSigningConfigArn)
      .map(({ name }) => arnOf(name)),
  };
};

export const listings = {
  ListFunctions: listFunctions,
  ListAliases: listAliases,
  ListLayers: listLayers,
  ListLayerVersions: listLayerVersions,
  ListEventSourceMappings: listMappings,
  ListFunctionsByCodeSigningConfig: listUsers,
  ListCodeSigningConfigs: (world) => ({
    member: 'CodeSigningConfigs',
    input: {},
    items: byName(world.codeSigningConfigs).map(([, shown]) => shown),
  }),
  ListVersionsByFunction: ofFunction('Versions', versionsOf),
  ListFunctionUrlConfigs: ofFunction('FunctionUrlConfigs', (made) =>
    byName(made.urls).map(([qualifier, settings]) => ({
      ...settings,
      FunctionArn: qualifier === '$LATEST' ? arnOf(made.name) : qualifiedArn(made, qualifier),
    })),
  ),
  ListFunctionEventInvokeConfigs: ofFunction('FunctionEventInvokeConfigs', (made) =>
    byName(made.eventInvokes).map(([qualifier, settings]) => ({
      ...settings,
      FunctionArn: qualifiedArn(made, qualifier),
    })),
  ),
  ListProvisionedConcurrencyConfigs: ofFunction('ProvisionedConcurrencyConfigs', (made) =>
    byName(made.provisioned).map(([qualifier, requested]) => ({
      RequestedProvisionedConcurrentExecutions: requested,
      FunctionArn: qualifiedArn(made, qualifier),
    })),
  ),
} as const satisfies { readonly [Name in ApiOperationName]?: MakeListing };

export type ListOperation = keyof typeof listings;

export const listOperations = Object.keys(listings) as readonly ListOperation[];

export function accountRead(world: World): Read {
  const concurrency = limits.concurrencyAccountDefault;
  return read(
    'GetAccountSettings',
    {},
    {
      AccountUsage: world.usage,
      AccountLimit: {
        ConcurrentExecutions: concurrency,
        UnreservedConcurrentExecutions: concurrency - world.claimed,
      },
    },
  );
}

/** Of everything that the world holds. */
export function* readsOf(world: World): Generator<Read> {
  for (const made of world.functions.values()) yield* readsOfFunction(made);
  for (const [LayerName, { versions }] of world.layers) {
    for (const [VersionNumber, { description: Description, archive }] of versions) {
      const Content = { CodeSha256: archiveHash(archive) };
      yield read('GetLayerVersion', { LayerName, VersionNumber }, { Description, Content });
    }
  }
  for (const [UUID, shown] of world.mappings) yield read('GetEventSourceMapping', { UUID }, shown);
  for (const [CodeSigningConfigArn, shown] of world.codeSigningConfigs) {
    yield read('GetCodeSigningConfig', { CodeSigningConfigArn }, { CodeSigningConfig: shown });
  }
  yield accountRead(world);
  yield* world.gone;
}

function* readsOfFunction(made: MadeFunction): Generator<Read> {
  const { name: FunctionName, reserved, codeSigningConfigArn, tags } = made;
  yield read(
    'GetFunction',
    { FunctionName },
    {
      Configuration: shownVersion(made, undefined),
      Tags: Object.keys(tags).length === 0 ? absent : exactly(tags),
      Concurrency: reserved === undefined ? absent : { ReservedConcurrentExecutions: reserved },
    },
  );
  yield read('ListTags', { Resource: arnOf(FunctionName) }, { Tags: exactly(tags) });
  yield read(
    'GetFunctionCodeSigningConfig',
    { FunctionName },
    {
      CodeSigningConfigArn: codeSigningConfigArn ?? absent,
    },
  );
  for (const number of made.versions.keys()) {
    const version = { FunctionName, Qualifier: String(number) };
    yield read('GetFunctionConfiguration', version, shownVersion(made, number));
  }
  for (const [Name, FunctionVersion] of made.aliases) {
    yield read('GetAlias', { FunctionName, Name }, { FunctionVersion });
  }
  for (const [qualifier, settings] of made.urls) {
    yield read('GetFunctionUrlConfig', urlOf(made, qualifier), settings);
  }
  for (const [Qualifier, settings] of made.eventInvokes) {
    yield read('GetFunctionEventInvokeConfig', { FunctionName, Qualifier }, settings);
  }
  for (const [Qualifier, requested] of made.provisioned) {
    yield read(
      'GetProvisionedConcurrencyConfig',
      { FunctionName, Qualifier },
      {
        RequestedProvisionedConcurrentExecutions: requested,
      },
    );
  }
}
