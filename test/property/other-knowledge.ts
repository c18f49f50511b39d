/** Right uses of the operations on aliases, layers and concurrency. */
import { shapes } from '../../src/model/service-model.ts';
import { accountId } from '../conformance/server.ts';
import { functionForms } from './configuration-knowledge.ts';
import { aliasName, archives, functionName, layerName, layerVersionArn } from './fixture.ts';
import {
  isGone,
  read,
  revised,
  type Body,
  type Draw,
  type Journey,
  type KnowledgeTable,
  type Step,
} from './journey.ts';
import { archiveHash, code } from './code-knowledge.ts';
import { absent, including } from './contains.ts';
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
      read('ListAliases', { FunctionName: functionName }, { Aliases: including(alias) }),
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
    prepare: [['GetAlias', named]],
    input: revised(draw, input),
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

function getAlias(draw: Draw): Journey {
  const named = { FunctionName: functionName, Name: draw.newName() };
  const { sent, shown } = aliasTarget(draw);
  return {
    prepare: [['CreateAlias', { ...named, ...sent }]],
    input: { ...named, FunctionName: draw.random.pick(functionForms()) },
    answers: { Name: named.Name, ...shown },
    undo: () => [['DeleteAlias', named]],
  };
}

const runtimes = shapes.get('Runtime')?.enumValues ?? [];

/** As many as a layer may name, or fewer. */
function severalRuntimes(draw: Draw): readonly string[] {
  const count = draw.random.integer(0, 15);
  return Array.from({ length: count }, () => draw.next('layers', runtimes));
}

function publishLayerVersion(draw: Draw): Journey {
  const LayerName = draw.newName();
  const { archive, members } = code(draw);
  const input = draw.input('PublishLayerVersion', {
    LayerName,
    Content: members,
    CompatibleRuntimes: draw.maybe(severalRuntimes(draw)),
  });
  const { Description = '', LicenseInfo, CompatibleRuntimes, CompatibleArchitectures } = input;
  const lists = { CompatibleRuntimes, CompatibleArchitectures };
  const shown = {
    Version: 1,
    Description,
    Content: { CodeSha256: archiveHash(archive) },
    ...(LicenseInfo === undefined ? {} : { LicenseInfo }),
    ...Object.fromEntries(Object.entries(lists).filter(([, list]) => list !== undefined)),
  };
  const version = { LayerName, VersionNumber: 1 };
  const Arn = layerVersionArn.replace(layerName, LayerName);
  return {
    input,
    answers: shown,
    reads: () => [
      read('GetLayerVersion', version, { ...shown, LayerVersionArn: Arn }),
      read('GetLayerVersionByArn', { Arn }, shown),
      read('ListLayerVersions', { LayerName }, { LayerVersions: [{ ...shown, Content: absent }] }),
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
  const StatementId = draw.newName();
  const other = layerStatement(draw.newName());
  const isOrganization = random.chance(0.3);
  const input = {
    ...layerVersion,
    StatementId,
    Action: 'lambda:GetLayerVersion',
    ...(isOrganization
      ? { Principal: '*', OrganizationId: `o-${random.hex(8)}` }
      : { Principal: random.pick(['*', accountId, `arn:aws:iam::${accountId}:root`]) }),
  };
  const { OrganizationId = StatementId } = input as Body;
  const isShown = (policy: unknown): boolean =>
    statementIds(policy).includes(StatementId) && String(policy).includes(String(OrganizationId));
  return {
    prepare: [['AddLayerVersionPermission', other]],
    input: revised(draw, input),
    reads: () => [read('GetLayerVersionPolicy', layerVersion, { Policy: isShown })],
    undo: () => [
      ['RemoveLayerVersionPermission', { ...layerVersion, StatementId }],
      ['RemoveLayerVersionPermission', idOf(other)],
    ],
  };
}

function layerStatement(StatementId: string) {
  const permission = { Action: 'lambda:GetLayerVersion', Principal: accountId };
  return { ...layerVersion, StatementId, ...permission };
}

function idOf({ StatementId }: { readonly StatementId: string }): WireInput {
  return { ...layerVersion, StatementId };
}

function removeLayerPermission(draw: Draw): Journey {
  const statement = layerStatement(draw.newName());
  return {
    prepare: [['AddLayerVersionPermission', statement]],
    input: revised(draw, idOf(statement)),
    reads: () => [isGone('GetLayerVersionPolicy', layerVersion)],
  };
}

function getLayerPolicy(draw: Draw): Journey {
  const statement = layerStatement(draw.newName());
  return {
    prepare: [['AddLayerVersionPermission', statement]],
    input: layerVersion,
    answers: { Policy: (policy: unknown) => statementIds(policy).includes(statement.StatementId) },
    undo: () => [['RemoveLayerVersionPermission', idOf(statement)]],
  };
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

function getConcurrency({ random }: Draw): Journey {
  const shown = { ReservedConcurrentExecutions: random.integer(0, 900) };
  return {
    prepare: [['PutFunctionConcurrency', { FunctionName: functionName, ...shown }]],
    input: { FunctionName: random.pick(functionForms()) },
    answers: shown,
    undo: () => [['DeleteFunctionConcurrency', { FunctionName: functionName }]],
  };
}

/** A version of a layer of its own, and what every answer about it shows. */
function aLayer(draw: Draw) {
  const LayerName = draw.newName();
  const { archive, members } = code(draw);
  const settings = {
    Description: `about ${draw.random.hex(3)}`,
    CompatibleRuntimes: [draw.random.pick(['nodejs24.x', 'python3.13'])],
  };
  const publish: Step = ['PublishLayerVersion', { LayerName, Content: members, ...settings }];
  const Content = { CodeSha256: archiveHash(archive) };
  const undo: readonly Step[] = [['DeleteLayerVersion', { LayerName, VersionNumber: 1 }]];
  return { LayerName, publish, shown: { Version: 1, Content, ...settings }, undo };
}

function getLayerVersion(draw: Draw): Journey {
  const { LayerName, publish, shown, undo } = aLayer(draw);
  const input = { LayerName, VersionNumber: 1 };
  return { prepare: [publish], input, answers: shown, undo: () => undo };
}

function getLayerVersionByArn(draw: Draw): Journey {
  const { LayerName, publish, shown, undo } = aLayer(draw);
  const input = { Arn: layerVersionArn.replace(layerName, LayerName) };
  return { prepare: [publish], input, answers: shown, undo: () => undo };
}

export const otherKnowledge: KnowledgeTable = {
  CreateAlias: createAlias,
  UpdateAlias: updateAlias,
  DeleteAlias: deleteAlias,
  GetAlias: getAlias,
  PublishLayerVersion: publishLayerVersion,
  DeleteLayerVersion: deleteLayerVersion,
  GetLayerVersion: getLayerVersion,
  GetLayerVersionByArn: getLayerVersionByArn,
  AddLayerVersionPermission: addLayerPermission,
  RemoveLayerVersionPermission: removeLayerPermission,
  GetLayerVersionPolicy: getLayerPolicy,
  PutFunctionConcurrency: putConcurrency,
  GetFunctionConcurrency: getConcurrency,
  DeleteFunctionConcurrency: deleteConcurrency,
  PutProvisionedConcurrencyConfig: putProvisioned,
  DeleteProvisionedConcurrencyConfig: deleteProvisioned,
  GetProvisionedConcurrencyConfig: getProvisioned,
};
