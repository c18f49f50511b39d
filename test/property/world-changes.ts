/** Random writes that a server accepts in the state that a world says it has, and what they change there. */
import { shapes } from '../../src/model/service-model.ts';
import { arnOf, role } from '../conformance/server.ts';
import { tags } from './configuration-knowledge.ts';
import { code } from './code-knowledge.ts';
import { isGone, type Body, type Draw, type Step } from './journey.ts';
import { anySource, sentFor } from './mapping-knowledge.ts';
import { codeSigningArnIn, codeSigningCreation } from './code-signing-knowledge.ts';
import type { MadeFunction, MadeLayer, World } from './world.ts';

export interface Change {
  readonly step: Step;
  /** To be called once the server has accepted it. */
  apply(answer: Body): void;
}

/** Undefined where there is nothing that could be changed so. */
type MakeChange = (world: World, draw: Draw) => Change | undefined;

/** More make every listing longer and nothing better. */
const FUNCTIONS_MAX = 12;

const runtimes = shapes.get('Runtime')?.enumValues ?? [];

export function anyOf<Item>({ random }: Draw, items: Iterable<Item>): Item | undefined {
  const all = [...items];
  return all.length === 0 ? undefined : random.pick(all);
}

function createFunction(world: World, draw: Draw): Change | undefined {
  if (world.functions.size >= FUNCTIONS_MAX) return undefined;
  const name = draw.newName();
  const { members: Code, ...packaged } = code(draw);
  const Description = draw.newName();
  const Tags = tags(draw);
  const isPublished = draw.random.chance(0.3);
  const input = {
    ...{ FunctionName: name, Role: role, Runtime: 'nodejs24.x', Handler: 'index.handler' },
    ...{ Code, Description, Tags, Publish: isPublished },
  };
  return {
    step: ['CreateFunction', input],
    apply() {
      const made = world.addFunction(name);
      made.latest = { ...packaged, description: Description };
      made.tags = Tags;
      if (isPublished) publish(made);
    },
  };
}

function publish(made: MadeFunction, description = made.latest.description): void {
  made.lastVersion += 1;
  made.versions.set(made.lastVersion, { ...made.latest, description });
}

/** A change of one of the functions, if there is one. */
function ofFunction(
  make: (made: MadeFunction, draw: Draw, world: World) => Change | undefined,
): MakeChange {
  return (world, draw) => {
    const made = anyOf(draw, world.functions.values());
    return made === undefined ? undefined : make(made, draw, world);
  };
}

const deleteFunction = ofFunction(({ name }, draw, world) =>
  draw.random.chance(0.5)
    ? undefined
    : {
        step: ['DeleteFunction', { FunctionName: name }],
        apply() {
          world.functions.delete(name);
          world.gone.push(isGone('GetFunction', { FunctionName: name }));
        },
      },
);

const updateCode = ofFunction((made, draw) => {
  const { members, ...packaged } = code(draw);
  const change = draw.random.pick([{}, {}, { Publish: true }, { DryRun: true }]);
  return {
    step: ['UpdateFunctionCode', { FunctionName: made.name, ...members, ...change }],
    apply({ Version }) {
      if (change.DryRun === true) return;
      made.latest = { ...made.latest, ...packaged };
      publishIfNew(made, Version);
    },
  };
});

const describe = ofFunction((made, draw) => {
  const Description = draw.newName();
  return {
    step: ['UpdateFunctionConfiguration', { FunctionName: made.name, Description }],
    apply() {
      made.latest = { ...made.latest, description: Description };
    },
  };
});

/** A $LATEST that is the last version still is not published once more: the answer tells. */
function publishIfNew(made: MadeFunction, version: unknown, description?: string): void {
  if (version === String(made.lastVersion + 1)) publish(made, description);
}

const publishVersion = ofFunction((made, draw) => {
  const Description = draw.maybe(draw.newName());
  return {
    step: [
      'PublishVersion',
      { FunctionName: made.name, ...(Description === undefined ? {} : { Description }) },
    ],
    apply({ Version }) {
      publishIfNew(made, Version, Description);
    },
  };
});

/** An alias keeps its versions. */
const deleteVersion = ofFunction((made, draw, world) => {
  const aliased = new Set(made.aliases.values());
  const free = [...made.versions.keys()].filter((number) => !aliased.has(String(number)));
  const number = anyOf(draw, free);
  if (number === undefined) return undefined;
  const Qualifier = String(number);
  const version = { FunctionName: made.name, Qualifier };
  return {
    step: ['DeleteFunction', version],
    apply() {
      made.versions.delete(number);
      made.eventInvokes.delete(Qualifier);
      made.provisioned.delete(Qualifier);
      world.gone.push(isGone('GetFunctionConfiguration', version));
    },
  };
});

function anyVersion(made: MadeFunction, { random }: Draw): string {
  return random.pick(['$LATEST', ...[...made.versions.keys()].map(String)]);
}

const createAlias = ofFunction((made, draw) => {
  const Name = draw.newName();
  const FunctionVersion = anyVersion(made, draw);
  return {
    step: ['CreateAlias', { FunctionName: made.name, Name, FunctionVersion }],
    apply() {
      made.aliases.set(Name, FunctionVersion);
    },
  };
});

const updateAlias = ofFunction((made, draw) => {
  const Name = anyOf(draw, made.aliases.keys());
  if (Name === undefined) return undefined;
  const FunctionVersion = anyVersion(made, draw);
  return {
    step: ['UpdateAlias', { FunctionName: made.name, Name, FunctionVersion }],
    apply() {
      made.aliases.set(Name, FunctionVersion);
    },
  };
});

/** Its URL stays: it would be that of the next alias of the name. */
const deleteAlias = ofFunction((made, draw, world) => {
  const Name = anyOf(draw, made.aliases.keys());
  if (Name === undefined) return undefined;
  const alias = { FunctionName: made.name, Name };
  return {
    step: ['DeleteAlias', alias],
    apply() {
      made.aliases.delete(Name);
      made.eventInvokes.delete(Name);
      world.gone.push(isGone('GetAlias', alias));
    },
  };
});

/** With no member for $LATEST, which a URL must not name. */
export function urlOf(made: MadeFunction, qualifier: string): Body {
  const named = { FunctionName: made.name };
  return qualifier === '$LATEST' ? named : { ...named, Qualifier: qualifier };
}

const putUrl = ofFunction((made, draw) => {
  const { random } = draw;
  const qualifier = random.pick(['$LATEST', ...made.aliases.keys()]);
  const settings = { AuthType: random.pick(['NONE', 'AWS_IAM']) };
  const isThere = made.urls.has(qualifier);
  return {
    step: [
      isThere ? 'UpdateFunctionUrlConfig' : 'CreateFunctionUrlConfig',
      { ...urlOf(made, qualifier), ...settings },
    ],
    apply() {
      made.urls.set(qualifier, settings);
    },
  };
});

const deleteUrl = ofFunction((made, draw) => {
  const qualifier = anyOf(draw, made.urls.keys());
  if (qualifier === undefined) return undefined;
  return {
    step: ['DeleteFunctionUrlConfig', urlOf(made, qualifier)],
    apply() {
      made.urls.delete(qualifier);
    },
  };
});

const putEventInvoke = ofFunction((made, draw) => {
  const { random } = draw;
  const Qualifier = random.pick([anyVersion(made, draw), ...made.aliases.keys()]);
  const settings = { MaximumRetryAttempts: random.integer(0, 2) };
  return {
    step: ['PutFunctionEventInvokeConfig', { FunctionName: made.name, Qualifier, ...settings }],
    apply() {
      made.eventInvokes.set(Qualifier, settings);
    },
  };
});

/** Takes away what one of a function's versions or aliases has. */
function deletionOf(
  operation: Step[0],
  settingsOf: (made: MadeFunction) => Map<string, unknown>,
): MakeChange {
  return ofFunction((made, draw) => {
    const Qualifier = anyOf(draw, settingsOf(made).keys());
    if (Qualifier === undefined) return undefined;
    return {
      step: [operation, { FunctionName: made.name, Qualifier }],
      apply() {
        settingsOf(made).delete(Qualifier);
      },
    };
  });
}

const deleteEventInvoke = deletionOf(
  'DeleteFunctionEventInvokeConfig',
  ({ eventInvokes }) => eventInvokes,
);

/** Not together with a reserve, which would have to be the larger. */
const putProvisioned = ofFunction((made, draw) => {
  const number = anyOf(draw, made.versions.keys());
  if (number === undefined || made.reserved !== undefined) return undefined;
  const Qualifier = String(number);
  const requested = draw.random.integer(1, 3);
  return {
    step: [
      'PutProvisionedConcurrencyConfig',
      { FunctionName: made.name, Qualifier, ProvisionedConcurrentExecutions: requested },
    ],
    apply() {
      made.provisioned.set(Qualifier, requested);
    },
  };
});

const deleteProvisioned = deletionOf(
  'DeleteProvisionedConcurrencyConfig',
  ({ provisioned }) => provisioned,
);

const putConcurrency = ofFunction((made, { random }) => {
  if (made.provisioned.size > 0) return undefined;
  const reserved = random.integer(0, 5);
  return {
    step: [
      'PutFunctionConcurrency',
      { FunctionName: made.name, ReservedConcurrentExecutions: reserved },
    ],
    apply() {
      made.reserved = reserved;
    },
  };
});

const deleteConcurrency = ofFunction((made) => ({
  step: ['DeleteFunctionConcurrency', { FunctionName: made.name }],
  apply() {
    made.reserved = undefined;
  },
}));

const tag = ofFunction((made, draw) => {
  const { random } = draw;
  const Resource = arnOf(made.name);
  const keys = Object.keys(made.tags).filter(() => random.chance(0.5));
  if (keys.length > 0) {
    return {
      step: ['UntagResource', { Resource, TagKeys: keys }],
      apply() {
        const left = Object.entries(made.tags).filter(([key]) => !keys.includes(key));
        made.tags = Object.fromEntries(left);
      },
    };
  }
  const Tags = tags(draw);
  return {
    step: ['TagResource', { Resource, Tags }],
    apply() {
      made.tags = { ...made.tags, ...Tags };
    },
  };
});

function publishLayer(world: World, draw: Draw): Change {
  const { random } = draw;
  const known = draw.maybe(anyOf(draw, world.layers.values()), 0.7);
  const made: MadeLayer = known ?? { name: draw.newName(), versions: new Map(), lastVersion: 0 };
  const { members: Content, ...packaged } = code(draw);
  const version = {
    ...packaged,
    description: draw.newName(),
    runtimes: runtimes.filter(() => random.chance(0.2)).slice(0, 15),
    architectures: ['x86_64', 'arm64'].filter(() => random.chance(0.5)),
  };
  const input = {
    ...{ LayerName: made.name, Description: version.description },
    Content,
    CompatibleRuntimes: version.runtimes,
    CompatibleArchitectures: version.architectures,
  };
  return {
    step: ['PublishLayerVersion', input],
    apply() {
      world.layers.set(made.name, made);
      made.lastVersion += 1;
      made.versions.set(made.lastVersion, version);
    },
  };
}

function deleteLayer(world: World, draw: Draw): Change | undefined {
  const made = anyOf(draw, world.layers.values());
  const number = made && anyOf(draw, made.versions.keys());
  if (made === undefined || number === undefined) return undefined;
  const version = { LayerName: made.name, VersionNumber: number };
  return {
    step: ['DeleteLayerVersion', version],
    apply() {
      made.versions.delete(number);
      world.gone.push(isGone('GetLayerVersion', version));
    },
  };
}

const createMapping = ofFunction((made, draw, world) => {
  const settings = sentFor(draw, anySource(draw));
  const alias = draw.maybe(anyOf(draw, made.aliases.keys()));
  const target = arnOf(alias === undefined ? made.name : `${made.name}:${alias}`);
  return {
    step: ['CreateEventSourceMapping', { ...settings, FunctionName: target }],
    apply({ UUID }) {
      world.mappings.set(String(UUID), { ...settings, UUID, FunctionArn: target });
    },
  };
});

function changeMapping(world: World, draw: Draw): Change | undefined {
  const UUID = anyOf(draw, world.mappings.keys());
  if (UUID === undefined) return undefined;
  const present = world.mappings.get(UUID)!;
  // The function may be gone, and is asked for only when it is named.
  const BatchSize = 1;
  if (draw.random.chance(0.5)) {
    return {
      step: ['UpdateEventSourceMapping', { UUID, BatchSize }],
      apply() {
        world.mappings.set(UUID, { ...present, BatchSize });
      },
    };
  }
  return {
    step: ['DeleteEventSourceMapping', { UUID }],
    apply() {
      world.mappings.delete(UUID);
      world.gone.push(isGone('GetEventSourceMapping', { UUID }));
    },
  };
}

function createCodeSigning(world: World, draw: Draw): Change {
  const [operation, settings] = codeSigningCreation;
  const shown = { ...settings, Description: draw.newName() };
  return {
    step: [operation, shown],
    apply(answer) {
      const arn = codeSigningArnIn(answer);
      world.codeSigningConfigs.set(String(arn['CodeSigningConfigArn']), { ...shown, ...arn });
    },
  };
}

function deleteCodeSigning(world: World, draw: Draw): Change | undefined {
  const used = new Set([...world.functions.values()].map((made) => made.codeSigningConfigArn));
  const free = [...world.codeSigningConfigs.keys()].filter((arn) => !used.has(arn));
  const CodeSigningConfigArn = anyOf(draw, free);
  if (CodeSigningConfigArn === undefined) return undefined;
  return {
    step: ['DeleteCodeSigningConfig', { CodeSigningConfigArn }],
    apply() {
      world.codeSigningConfigs.delete(CodeSigningConfigArn);
      world.gone.push(isGone('GetCodeSigningConfig', { CodeSigningConfigArn }));
    },
  };
}

const attachCodeSigning = ofFunction((made, draw, world) => {
  const CodeSigningConfigArn = anyOf(draw, world.codeSigningConfigs.keys());
  const named = { FunctionName: made.name };
  if (CodeSigningConfigArn === undefined || draw.random.chance(0.3)) {
    return {
      step: ['DeleteFunctionCodeSigningConfig', named],
      apply() {
        made.codeSigningConfigArn = undefined;
      },
    };
  }
  return {
    step: ['PutFunctionCodeSigningConfig', { ...named, CodeSigningConfigArn }],
    apply() {
      made.codeSigningConfigArn = CodeSigningConfigArn;
    },
  };
});

/** What is made often stands here twice. */
const makers: readonly MakeChange[] = [
  ...[createFunction, createFunction, deleteFunction, updateCode, describe, tag],
  ...[publishVersion, publishVersion, publishVersion, deleteVersion],
  ...[createAlias, createAlias, createAlias, updateAlias, deleteAlias],
  ...[putUrl, putUrl, deleteUrl, putEventInvoke, putEventInvoke, deleteEventInvoke],
  ...[putProvisioned, putProvisioned, deleteProvisioned, putConcurrency, deleteConcurrency],
  ...[publishLayer, publishLayer, deleteLayer],
  ...[createMapping, createMapping, changeMapping],
  ...[createCodeSigning, deleteCodeSigning, attachCodeSigning, attachCodeSigning],
];

export function anyChange(world: World, draw: Draw): Change {
  for (;;) {
    const change = draw.random.pick(makers)(world, draw);
    if (change !== undefined) return change;
  }
}
