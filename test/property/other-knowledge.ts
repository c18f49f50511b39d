/** Right uses of the operations on aliases, layers and concurrency. */
import { accountId } from '../conformance/server.ts';
import { functionForms } from './configuration-knowledge.ts';
import { aliasName, archives, functionName, layerName, layerVersionArn } from './fixture.ts';
import {
  isGone,
  read,
  type Body,
  type Draw,
  type Journey,
  type KnowledgeTable,
  type Step,
} from './journey.ts';
import { absent } from './contains.ts';
import type { WireInput } from './wire-request.ts';

/** A version, or two by weight. */
function aliasTarget({ random }: Draw): { readonly sent: WireInput; readonly shown: Body } {
  const FunctionVersion = random.pick(['1', '2', '$LATEST']);
  if (FunctionVersion === '$LATEST' || random.chance(0.5)) {
    const RoutingConfig = random.pick([{}, { AdditionalVersionWeights: {} }]);
    return {
      sent: { FunctionVersion, RoutingConfig },
      shown: { FunctionVersion, RoutingConfig: absent },
    };
  }
  const other = FunctionVersion === '1' ? '2' : '1';
  const weight = random.pick([0, 1, random.fraction()]);
  const target = {
    FunctionVersion,
    RoutingConfig: { AdditionalVersionWeights: { [other]: weight } },
  };
  return { sent: target, shown: target };
}

function createAlias(draw: Draw): Journey {
  const Name = draw.newName();
  const { sent, shown } = aliasTarget(draw);
  const input = draw.input('CreateAlias', {
    ...sent,
    FunctionName: draw.random.pick(functionForms()),
    Name,
  });
  const { Description = '' } = input;
  const alias = { Name, Description, ...shown };
  const named = { FunctionName: functionName, Name };
  return {
    input,
    answers: alias,
    reads: (answer) => [
      read('GetAlias', named, { ...answer, ...alias }),
      read('ListAliases', { FunctionName: functionName }, { Aliases: includes({ Name }) }),
    ],
    undo: () => [['DeleteAlias', named]],
  };
}

function updateAlias(draw: Draw): Journey {
  const { sent, shown } = aliasTarget(draw);
  const input = draw.input('UpdateAlias', {
    ...sent,
    FunctionName: draw.random.pick(functionForms()),
    Name: aliasName,
    RevisionId: undefined,
  });
  const { Description } = input;
  const alias = {
    Name: aliasName,
    ...(Description === undefined ? {} : { Description }),
    ...shown,
  };
  const named = { FunctionName: functionName, Name: aliasName };
  return {
    input,
    answers: alias,
    reads: (answer) => [read('GetAlias', named, { ...answer, ...alias })],
  };
}

function deleteAlias(draw: Draw): Journey {
  const named = { FunctionName: functionName, Name: draw.newName() };
  return {
    prepare: [['CreateAlias', { ...named, FunctionVersion: '1' }]],
    input: named,
    reads: () => [isGone('GetAlias', named)],
  };
}

/** A list that has an element with these members. */
function includes(members: Body): (actual: unknown) => boolean {
  return (actual) =>
    Array.isArray(actual) &&
    (actual as Body[]).some((item) =>
      Object.entries(members).every(([name, value]) => item[name] === value),
    );
}

function publishLayerVersion(draw: Draw): Journey {
  const LayerName = draw.newName();
  const input = draw.input('PublishLayerVersion', {
    LayerName,
    Content: { ZipFile: draw.random.pick(archives) },
  });
  const { Description = '', LicenseInfo, CompatibleRuntimes, CompatibleArchitectures } = input;
  const lists = { CompatibleRuntimes, CompatibleArchitectures };
  const shown = {
    Version: 1,
    Description,
    ...(LicenseInfo === undefined ? {} : { LicenseInfo }),
    ...Object.fromEntries(
      Object.entries(lists).filter(([, list]) => Array.isArray(list) && list.length > 0),
    ),
  };
  const version = { LayerName, VersionNumber: 1 };
  const Arn = layerVersionArn.replace(layerName, LayerName);
  return {
    input,
    answers: shown,
    reads: () => [
      read('GetLayerVersion', version, { ...shown, LayerVersionArn: Arn }),
      read('GetLayerVersionByArn', { Arn }, shown),
      read('ListLayerVersions', { LayerName }, { LayerVersions: [{ Version: 1 }] }),
    ],
    undo: () => [['DeleteLayerVersion', version]],
  };
}

function deleteLayerVersion(draw: Draw): Journey {
  const LayerName = draw.newName();
  const version = { LayerName, VersionNumber: 1 };
  return {
    prepare: [['PublishLayerVersion', { LayerName, Content: { ZipFile: archives[0] } }]],
    input: version,
    reads: () => [isGone('GetLayerVersion', version)],
  };
}

const layerVersion = { LayerName: layerName, VersionNumber: 1 };

function addLayerPermission(draw: Draw): Journey {
  const { random } = draw;
  const isForAll = random.chance(0.3);
  const StatementId = draw.newName();
  const input = draw.input('AddLayerVersionPermission', {
    ...layerVersion,
    StatementId,
    ...(isForAll ? {} : { OrganizationId: undefined }),
    Principal: isForAll ? '*' : random.pick(['*', accountId, `arn:aws:iam::${accountId}:root`]),
    RevisionId: undefined,
  });
  return {
    input,
    reads: () => [
      read('GetLayerVersionPolicy', layerVersion, {
        Policy: (policy: unknown) => statementIds(policy).includes(StatementId),
      }),
    ],
    undo: () => [['RemoveLayerVersionPermission', { ...layerVersion, StatementId }]],
  };
}

function removeLayerPermission(draw: Draw): Journey {
  const StatementId = draw.newName();
  const permission = { Action: 'lambda:GetLayerVersion', Principal: accountId };
  return {
    prepare: [['AddLayerVersionPermission', { ...layerVersion, StatementId, ...permission }]],
    input: { ...layerVersion, StatementId },
    reads: () => [isGone('GetLayerVersionPolicy', layerVersion)],
  };
}

function getLayerPolicy(draw: Draw): Journey {
  const { prepare = [], input: statement } = removeLayerPermission(draw);
  const undo: readonly Step[] = [['RemoveLayerVersionPermission', statement]];
  return { prepare, input: layerVersion, undo: () => undo };
}

function statementIds(policy: unknown): string[] {
  const { Statement } = JSON.parse(String(policy)) as { Statement: { Sid: string }[] };
  return Statement.map(({ Sid }) => Sid);
}

function putConcurrency(draw: Draw): Journey {
  const ReservedConcurrentExecutions = draw.random.pick([0, 1, 900, draw.random.integer(0, 900)]);
  const shown = { ReservedConcurrentExecutions };
  return {
    input: { FunctionName: draw.random.pick(functionForms()), ReservedConcurrentExecutions },
    answers: shown,
    reads: () => [
      read('GetFunctionConcurrency', { FunctionName: functionName }, shown),
      read('GetFunction', { FunctionName: functionName }, { Concurrency: shown }),
    ],
    undo: () => [['DeleteFunctionConcurrency', { FunctionName: functionName }]],
  };
}

function deleteConcurrency(draw: Draw): Journey {
  const reserve = { FunctionName: functionName, ReservedConcurrentExecutions: 1 };
  return {
    prepare: [['PutFunctionConcurrency', reserve]],
    input: { FunctionName: draw.random.pick(functionForms()) },
    reads: () => [
      read(
        'GetFunctionConcurrency',
        { FunctionName: functionName },
        { ReservedConcurrentExecutions: absent },
      ),
    ],
  };
}

const provisioned = { FunctionName: functionName, Qualifier: '1' };

function putProvisioned(draw: Draw): Journey {
  const { random } = draw;
  const requested = random.pick([1, 900, random.integer(1, 900)]);
  const shown = { RequestedProvisionedConcurrentExecutions: requested };
  return {
    input: { ...provisioned, ProvisionedConcurrentExecutions: requested },
    answers: shown,
    reads: () => [
      read('GetProvisionedConcurrencyConfig', provisioned, shown),
      read(
        'ListProvisionedConcurrencyConfigs',
        { FunctionName: functionName },
        { ProvisionedConcurrencyConfigs: [shown] },
      ),
    ],
    undo: () => [['DeleteProvisionedConcurrencyConfig', provisioned]],
  };
}

function deleteProvisioned(): Journey {
  const missing = 'ProvisionedConcurrencyConfigNotFoundException';
  return {
    prepare: [
      ['PutProvisionedConcurrencyConfig', { ...provisioned, ProvisionedConcurrentExecutions: 1 }],
    ],
    input: provisioned,
    reads: () => [isGone('GetProvisionedConcurrencyConfig', provisioned, missing)],
  };
}

function getProvisioned(): Journey {
  const put = { ...provisioned, ProvisionedConcurrentExecutions: 1 };
  return {
    prepare: [['PutProvisionedConcurrencyConfig', put]],
    input: provisioned,
    answers: { RequestedProvisionedConcurrentExecutions: 1 },
    undo: () => [['DeleteProvisionedConcurrencyConfig', provisioned]],
  };
}

/** A listing from its beginning. */
function listing(
  operation:
    'ListAliases' | 'ListLayers' | 'ListLayerVersions' | 'ListProvisionedConcurrencyConfigs',
  given: WireInput,
): (draw: Draw) => Journey {
  return (draw) => ({ input: draw.input(operation, { ...given, Marker: undefined }) });
}

export const otherKnowledge: KnowledgeTable = {
  CreateAlias: createAlias,
  UpdateAlias: updateAlias,
  DeleteAlias: deleteAlias,
  GetAlias: () => ({ input: { FunctionName: functionName, Name: aliasName } }),
  ListAliases: listing('ListAliases', { FunctionName: functionName }),
  PublishLayerVersion: publishLayerVersion,
  DeleteLayerVersion: deleteLayerVersion,
  GetLayerVersion: () => ({ input: layerVersion }),
  GetLayerVersionByArn: () => ({ input: { Arn: layerVersionArn } }),
  ListLayers: listing('ListLayers', {}),
  ListLayerVersions: listing('ListLayerVersions', { LayerName: layerName }),
  AddLayerVersionPermission: addLayerPermission,
  RemoveLayerVersionPermission: removeLayerPermission,
  GetLayerVersionPolicy: getLayerPolicy,
  PutFunctionConcurrency: putConcurrency,
  GetFunctionConcurrency: () => ({ input: { FunctionName: functionName } }),
  DeleteFunctionConcurrency: deleteConcurrency,
  PutProvisionedConcurrencyConfig: putProvisioned,
  DeleteProvisionedConcurrencyConfig: deleteProvisioned,
  GetProvisionedConcurrencyConfig: getProvisioned,
  ListProvisionedConcurrencyConfigs: listing('ListProvisionedConcurrencyConfigs', {
    FunctionName: functionName,
  }),
};
