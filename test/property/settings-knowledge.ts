/** Right uses of the operations on what belongs to a function beside its configuration. */
import { accountId, region } from '../conformance/server.ts';
import { functionForms, tags } from './configuration-knowledge.ts';
import { absent, exactly } from './contains.ts';
import { aliasName, functionArn, functionName } from './fixture.ts';
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

const named = { FunctionName: functionName };

function anyName({ random }: Draw): Body {
  return { FunctionName: random.pick(functionForms()) };
}

/** $LATEST by being left out, or the alias: what a URL may be of. */
function urlTarget(draw: Draw): Body {
  return draw.random.chance(0.5) ? anyName(draw) : { ...anyName(draw), Qualifier: aliasName };
}

/** Origins are needed whenever anything else is there. */
function cors(draw: Draw): Body {
  const { random } = draw;
  return {
    AllowOrigins: random.pick([['*'], ['https://a.example', 'http://b.example:8080']]),
    ...draw.some([
      { AllowMethods: random.pick([['*'], ['GET', 'POST'], []]) },
      { AllowHeaders: random.pick([['*'], ['x-one', 'X-Two']]) },
      { ExposeHeaders: random.pick([['*'], ['x-three']]) },
      { AllowCredentials: random.chance(0.5) },
      { MaxAge: random.pick([0, 86_400, random.integer(0, 86_400)]) },
    ]),
  };
}

function urlSettings(draw: Draw): Body {
  const { random } = draw;
  return draw.some([
    { Cors: cors(draw) },
    { InvokeMode: random.pick(['BUFFERED', 'RESPONSE_STREAM']) },
    { AuthType: random.pick(['NONE', 'AWS_IAM']) },
  ]);
}

function createUrl(draw: Draw): Journey {
  const target = urlTarget(draw);
  const settings = { AuthType: 'NONE', ...urlSettings(draw) };
  return {
    input: { ...target, ...settings },
    answers: settings,
    reads: () => [
      read('GetFunctionUrlConfig', target, settings),
      read('ListFunctionUrlConfigs', named, { FunctionUrlConfigs: [settings] }),
    ],
    undo: () => [['DeleteFunctionUrlConfig', target]],
  };
}

/** What an update leaves out stays. */
function updateUrl(draw: Draw): Journey {
  const target = urlTarget(draw);
  const before = { AuthType: 'NONE', ...urlSettings(draw) };
  const settings = urlSettings(draw);
  const shown = { ...before, ...settings };
  return {
    prepare: [['CreateFunctionUrlConfig', { ...target, ...before }]],
    input: { ...target, ...settings },
    answers: shown,
    reads: () => [read('GetFunctionUrlConfig', target, shown)],
    undo: () => [['DeleteFunctionUrlConfig', target]],
  };
}

function getUrl(draw: Draw): Journey {
  const target = urlTarget(draw);
  const settings = { AuthType: 'NONE', ...urlSettings(draw) };
  return {
    prepare: [['CreateFunctionUrlConfig', { ...target, ...settings }]],
    input: target,
    answers: settings,
    undo: () => [['DeleteFunctionUrlConfig', target]],
  };
}

function deleteUrl(draw: Draw): Journey {
  const target = urlTarget(draw);
  return {
    prepare: [['CreateFunctionUrlConfig', { ...target, AuthType: 'NONE' }]],
    input: target,
    reads: () => [isGone('GetFunctionUrlConfig', target)],
  };
}

function anyVersion(draw: Draw): Body {
  const Qualifier = draw.random.pick(['$LATEST', '1', '2', aliasName]);
  return { ...anyName(draw), Qualifier };
}

function destination(kinds: readonly string[], { random }: Draw): Body {
  const kind = random.pick(kinds);
  if (kind === 's3') return { Destination: 'arn:aws:s3:::target' };
  const resource = kind === 'events' ? 'event-bus/target' : 'target';
  return { Destination: `arn:aws:${kind}:${region}:${accountId}:${resource}` };
}

/** At least one of them. */
function eventInvoke(draw: Draw): Body {
  const { random } = draw;
  const kinds = ['sqs', 'sns', 'events'];
  const parts = [
    { MaximumRetryAttempts: random.integer(0, 2) },
    { MaximumEventAgeInSeconds: random.pick([60, 21_600, random.integer(60, 21_600)]) },
    {
      DestinationConfig: draw.some([
        { OnSuccess: destination(kinds, draw) },
        { OnFailure: destination([...kinds, 's3'], draw) },
      ]),
    },
  ];
  return { ...random.pick(parts), ...draw.some(parts) };
}

function writeEventInvoke(isUpdate: boolean): (draw: Draw) => Journey {
  return (draw) => {
    const target = anyVersion(draw);
    const settings = eventInvoke(draw);
    const before = { MaximumRetryAttempts: 1, MaximumEventAgeInSeconds: 90 };
    const kept = isUpdate
      ? before
      : { MaximumRetryAttempts: absent, MaximumEventAgeInSeconds: absent };
    const shown = { ...kept, ...settings };
    return {
      prepare: draw.random.chance(0.5) || isUpdate ? [putEventInvoke(target, before)] : [],
      input: { ...target, ...settings },
      answers: shown,
      reads: (answer) => [
        read('GetFunctionEventInvokeConfig', target, { ...answer, ...shown }),
        read('ListFunctionEventInvokeConfigs', named, { FunctionEventInvokeConfigs: [shown] }),
      ],
      undo: () => [['DeleteFunctionEventInvokeConfig', target]],
    };
  };
}

function putEventInvoke(target: Body, settings: Body): Step {
  return ['PutFunctionEventInvokeConfig', { ...target, ...settings }];
}

function getEventInvoke(draw: Draw): Journey {
  const target = anyVersion(draw);
  const settings = eventInvoke(draw);
  return {
    prepare: [putEventInvoke(target, settings)],
    input: target,
    answers: settings,
    undo: () => [['DeleteFunctionEventInvokeConfig', target]],
  };
}

function deleteEventInvoke(draw: Draw): Journey {
  const target = anyVersion(draw);
  return {
    prepare: [putEventInvoke(target, eventInvoke(draw))],
    input: target,
    reads: () => [isGone('GetFunctionEventInvokeConfig', target)],
  };
}

function putRecursion({ random }: Draw): Journey {
  const shown = { RecursiveLoop: random.pick(['Allow', 'Terminate']) };
  return {
    input: { FunctionName: random.pick(functionForms()), ...shown },
    answers: shown,
    reads: () => [read('GetFunctionRecursionConfig', named, shown)],
  };
}

function getRecursion({ random }: Draw): Journey {
  const shown = { RecursiveLoop: random.pick(['Allow', 'Terminate']) };
  return {
    prepare: [['PutFunctionRecursionConfig', { ...named, ...shown }]],
    input: { FunctionName: random.pick(functionForms()) },
    answers: shown,
  };
}

/** Manual, which keeps the runtime from being changed, only for versions. */
function runtimeManagement(draw: Draw): { readonly target: Body; readonly shown: Body } {
  const { random } = draw;
  if (random.chance(0.5)) {
    const shown = { UpdateRuntimeOn: random.pick(['Auto', 'FunctionUpdate']) };
    return { target: random.pick([anyName(draw), anyVersion(draw)]), shown };
  }
  const RuntimeVersionArn = `arn:aws:lambda:${region}::runtime:${random.hex(32)}`;
  return {
    target: { ...anyName(draw), Qualifier: random.pick(['1', '2']) },
    shown: { UpdateRuntimeOn: 'Manual', RuntimeVersionArn },
  };
}

function putRuntimeManagement(draw: Draw): Journey {
  const { target, shown } = runtimeManagement(draw);
  return {
    input: { ...target, ...shown },
    answers: shown,
    reads: () => [read('GetRuntimeManagementConfig', target, shown)],
  };
}

function getRuntimeManagement(draw: Draw): Journey {
  const { target, shown } = runtimeManagement(draw);
  return {
    prepare: [['PutRuntimeManagementConfig', { ...target, ...shown }]],
    input: target,
    answers: shown,
  };
}

/** The function as a whole, one of its versions, or the alias. */
function policyTarget(draw: Draw): { readonly target: Body; readonly revision: Step } {
  const Qualifier = draw.random.pick([undefined, '1', '2', aliasName]);
  if (Qualifier === undefined) {
    return { target: anyName(draw), revision: ['GetFunctionConfiguration', named] };
  }
  const target = { ...anyName(draw), Qualifier };
  const revision: Step =
    Qualifier === aliasName
      ? ['GetAlias', { ...named, Name: aliasName }]
      : ['GetFunctionConfiguration', target];
  return { target, revision };
}

/** What a permission asks beside its principal; conditions of URLs go with actions of their own. */
function permission(draw: Draw): { readonly sent: Body; readonly conditions: readonly string[] } {
  const { random } = draw;
  const FunctionUrlAuthType = random.pick(['NONE', 'AWS_IAM']);
  const InvokedViaFunctionUrl = random.chance(0.5);
  const forUrl = random.pick([
    { Action: 'lambda:InvokeFunctionUrl', FunctionUrlAuthType },
    { Action: 'lambda:InvokeFunction', InvokedViaFunctionUrl },
    { Action: random.pick(['lambda:InvokeFunction', 'lambda:GetFunction', 'lambda:*', '*']) },
  ]);
  const conditions = draw.some([
    { SourceAccount: accountId },
    { SourceArn: `arn:aws:s3:::${random.hex(4)}` },
    { EventSourceToken: `t.${random.hex(4)}` },
    { PrincipalOrgID: `o-${random.hex(6)}` },
  ]);
  const { Action, ...ofUrl } = forUrl as Body;
  return {
    sent: { Action, ...ofUrl, ...conditions },
    conditions: Object.values({ ...ofUrl, ...conditions }).map((value) => `"${String(value)}"`),
  };
}

function addPermission(draw: Draw): Journey {
  const { random } = draw;
  const StatementId = draw.newName();
  const role = `arn:aws:iam::${accountId}:role/caller`;
  const Principal = random.pick(['*', accountId, 's3.amazonaws.com', role]);
  const { target, revision } = policyTarget(draw);
  const { sent, conditions } = permission(draw);
  const isShown = (policy: unknown): boolean =>
    [`"${StatementId}"`, ...conditions].every((part) => String(policy).includes(part));
  return {
    prepare: [revision],
    input: revised(draw, { ...target, StatementId, Principal, ...sent }),
    answers: { Statement: isShown },
    reads: () => [read('GetPolicy', target, { Policy: isShown })],
    undo: () => [['RemovePermission', { ...target, StatementId }]],
  };
}

const anyPermission = { Principal: '*', Action: 'lambda:InvokeFunction' };

function removePermission(draw: Draw): Journey {
  const StatementId = draw.newName();
  const { target, revision } = policyTarget(draw);
  return {
    prepare: [['AddPermission', { ...target, ...anyPermission, StatementId }], revision],
    input: revised(draw, { ...target, StatementId }),
    reads: () => [isGone('GetPolicy', target)],
  };
}

function getPolicy(draw: Draw): Journey {
  const StatementId = draw.newName();
  const { target } = policyTarget(draw);
  return {
    prepare: [['AddPermission', { ...target, ...anyPermission, StatementId }]],
    input: target,
    answers: { Policy: (policy: unknown) => String(policy).includes(`"${StatementId}"`) },
    undo: () => [['RemovePermission', { ...target, StatementId }]],
  };
}

/** A whole policy, of the function or of what a qualifier names. */
function resourcePolicy(draw: Draw) {
  const { random } = draw;
  const Sid = `s${random.hex(4)}`;
  const Qualifier = random.pick([undefined, '1', aliasName]);
  const ResourceArn = Qualifier === undefined ? functionArn : `${functionArn}:${Qualifier}`;
  const Statement = [
    {
      Sid,
      Effect: random.pick(['Allow', 'Deny']),
      Principal: random.pick(['*', { AWS: `arn:aws:iam::${accountId}:root` }]),
      Action: random.pick(['lambda:InvokeFunction', ['lambda:GetFunction', 'lambda:List*']]),
      Resource: ResourceArn,
    },
  ];
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
  const revision: Step =
    Qualifier === aliasName
      ? ['GetAlias', { ...named, Name: aliasName }]
      : ['GetFunctionConfiguration', { FunctionName: ResourceArn }];
  return { resource: { ResourceArn }, Policy, revision };
}

function putResourcePolicy(draw: Draw): Journey {
  const { resource, Policy, revision } = resourcePolicy(draw);
  return {
    prepare: [revision],
    input: revised(draw, { ...resource, Policy }),
    answers: { Policy },
    reads: (answer) => [read('GetResourcePolicy', resource, answer)],
    undo: () => [['DeleteResourcePolicy', resource]],
  };
}

function getResourcePolicy(draw: Draw): Journey {
  const { resource, Policy } = resourcePolicy(draw);
  return {
    prepare: [['PutResourcePolicy', { ...resource, Policy }]],
    input: resource,
    answers: { Policy },
    undo: () => [['DeleteResourcePolicy', resource]],
  };
}

function deleteResourcePolicy(draw: Draw): Journey {
  const { resource, Policy } = resourcePolicy(draw);
  return {
    prepare: [['PutResourcePolicy', { ...resource, Policy }]],
    input: revised(draw, resource),
    reads: () => [isGone('GetResourcePolicy', resource)],
  };
}

/** Of the code signing configuration that an answer shows or names. */
export function codeSigningArnIn({ CodeSigningConfig, CodeSigningConfigArn }: Body): Body {
  const { CodeSigningConfigArn: shown } = (CodeSigningConfig ?? {}) as Body;
  return { CodeSigningConfigArn: shown ?? CodeSigningConfigArn };
}

function publishers({ random }: Draw): Body {
  const profile = (): string =>
    `arn:aws:signer:${region}:${accountId}:/signing-profiles/p${random.hex(3)}/${random.hex(5)}`;
  const SigningProfileVersionArns = Array.from({ length: random.integer(1, 20) }, profile);
  return { AllowedPublishers: { SigningProfileVersionArns } };
}

function codeSigningSettings(draw: Draw): readonly Body[] {
  const UntrustedArtifactOnDeployment = draw.random.pick(['Warn', 'Enforce']);
  return [
    { Description: `about ${draw.random.hex(3)}` },
    { CodeSigningPolicies: { UntrustedArtifactOnDeployment } },
  ];
}

/** Lets unsigned code through, with a warning. */
export const codeSigningCreation: Step = [
  'CreateCodeSigningConfig',
  {
    AllowedPublishers: {
      SigningProfileVersionArns: [`arn:aws:signer:${region}:${accountId}:/signing-profiles/p/0a1b`],
    },
  },
];

function undoCodeSigning(answer: Body): readonly Step[] {
  return [['DeleteCodeSigningConfig', codeSigningArnIn(answer)]];
}

function createCodeSigning(draw: Draw): Journey {
  const settings = { ...publishers(draw), ...draw.some(codeSigningSettings(draw)) };
  const Tags = draw.maybe(tags(draw));
  const shown = { CodeSigningConfig: settings };
  return {
    input: { ...settings, ...(Tags === undefined ? {} : { Tags }) },
    answers: shown,
    reads: (answer) => [
      read('GetCodeSigningConfig', codeSigningArnIn(answer), shown),
      read('ListFunctionsByCodeSigningConfig', codeSigningArnIn(answer), { FunctionArns: [] }),
      read(
        'ListTags',
        { Resource: codeSigningArnIn(answer)['CodeSigningConfigArn'] },
        { Tags: exactly(Tags ?? {}) },
      ),
    ],
    undo: undoCodeSigning,
  };
}

/** What an update leaves out stays. */
function updateCodeSigning(draw: Draw): Journey {
  const before = { ...publishers(draw), Description: 'before' };
  const settings = draw.some([publishers(draw), ...codeSigningSettings(draw)]);
  const shown = { CodeSigningConfig: { ...before, ...settings } };
  return {
    prepare: [['CreateCodeSigningConfig', before]],
    input: (prepared) => ({ ...codeSigningArnIn(prepared), ...settings }),
    answers: shown,
    reads: (answer) => [read('GetCodeSigningConfig', codeSigningArnIn(answer), shown)],
    undo: undoCodeSigning,
  };
}

function getCodeSigning(draw: Draw): Journey {
  const settings = { ...publishers(draw), ...draw.some(codeSigningSettings(draw)) };
  return {
    prepare: [['CreateCodeSigningConfig', settings]],
    input: codeSigningArnIn,
    answers: { CodeSigningConfig: settings },
    undo: undoCodeSigning,
  };
}

function deleteCodeSigning(): Journey {
  return {
    prepare: [codeSigningCreation],
    input: codeSigningArnIn,
    reads: (_, prepared) => [isGone('GetCodeSigningConfig', codeSigningArnIn(prepared))],
  };
}

function attachment(draw: Draw): (previous: Body) => Step {
  const name = anyName(draw);
  return (previous) => ['PutFunctionCodeSigningConfig', { ...name, ...codeSigningArnIn(previous) }];
}

function detachment(answer: Body): readonly Step[] {
  return [['DeleteFunctionCodeSigningConfig', named], ...undoCodeSigning(answer)];
}

function putFunctionCodeSigning(draw: Draw): Journey {
  const name = anyName(draw);
  return {
    prepare: [codeSigningCreation],
    input: (prepared) => ({ ...name, ...codeSigningArnIn(prepared) }),
    answers: named,
    reads: (answer) => [
      read('GetFunctionCodeSigningConfig', named, answer),
      read('ListFunctionsByCodeSigningConfig', codeSigningArnIn(answer), {
        FunctionArns: [functionArn],
      }),
    ],
    undo: detachment,
  };
}

function getFunctionCodeSigning(draw: Draw): Journey {
  return {
    prepare: [codeSigningCreation, attachment(draw)],
    input: anyName(draw),
    answers: named,
    undo: detachment,
  };
}

function deleteFunctionCodeSigning(draw: Draw): Journey {
  return {
    prepare: [codeSigningCreation, attachment(draw)],
    input: anyName(draw),
    reads: (_, prepared) => [
      read('GetFunctionCodeSigningConfig', named, { CodeSigningConfigArn: absent }),
      read('ListFunctionsByCodeSigningConfig', codeSigningArnIn(prepared), { FunctionArns: [] }),
    ],
    undo: (_, prepared) => undoCodeSigning(prepared),
  };
}

export const settingsKnowledge: KnowledgeTable = {
  CreateFunctionUrlConfig: createUrl,
  UpdateFunctionUrlConfig: updateUrl,
  GetFunctionUrlConfig: getUrl,
  DeleteFunctionUrlConfig: deleteUrl,
  PutFunctionEventInvokeConfig: writeEventInvoke(false),
  UpdateFunctionEventInvokeConfig: writeEventInvoke(true),
  GetFunctionEventInvokeConfig: getEventInvoke,
  DeleteFunctionEventInvokeConfig: deleteEventInvoke,
  PutFunctionRecursionConfig: putRecursion,
  GetFunctionRecursionConfig: getRecursion,
  PutRuntimeManagementConfig: putRuntimeManagement,
  GetRuntimeManagementConfig: getRuntimeManagement,
  AddPermission: addPermission,
  RemovePermission: removePermission,
  GetPolicy: getPolicy,
  PutResourcePolicy: putResourcePolicy,
  GetResourcePolicy: getResourcePolicy,
  DeleteResourcePolicy: deleteResourcePolicy,
  CreateCodeSigningConfig: createCodeSigning,
  UpdateCodeSigningConfig: updateCodeSigning,
  GetCodeSigningConfig: getCodeSigning,
  DeleteCodeSigningConfig: deleteCodeSigning,
  PutFunctionCodeSigningConfig: putFunctionCodeSigning,
  GetFunctionCodeSigningConfig: getFunctionCodeSigning,
  DeleteFunctionCodeSigningConfig: deleteFunctionCodeSigning,
};
