/** Right uses of the operations on what belongs to a function beside its configuration. */
import { accountId, region } from '../conformance/server.ts';
import { functionForms } from './configuration-knowledge.ts';
import { absent } from './contains.ts';
import { aliasName, functionArn, functionName } from './fixture.ts';
import {
  isGone,
  read,
  type Body,
  type Draw,
  type Journey,
  type KnowledgeTable,
} from './journey.ts';

const named = { FunctionName: functionName };

/** $LATEST by being left out, or the alias: what a URL may be of. */
function urlTarget({ random }: Draw): Body {
  return random.chance(0.5) ? named : { ...named, Qualifier: aliasName };
}

function cors({ random }: Draw): Body {
  return {
    AllowOrigins: random.pick([['*'], ['https://a.example', 'http://b.example:8080']]),
    AllowMethods: random.pick([['*'], ['GET', 'POST'], []]),
    AllowHeaders: random.pick([['*'], ['x-one', 'X-Two']]),
    AllowCredentials: random.chance(0.5),
    MaxAge: random.pick([0, 86_400, random.integer(0, 86_400)]),
  };
}

function urlSettings(draw: Draw): Body {
  const AuthType = draw.random.pick(['NONE', 'AWS_IAM']);
  return { AuthType, Cors: cors(draw) };
}

function createUrl(draw: Draw): Journey {
  const target = urlTarget(draw);
  const settings = {
    ...urlSettings(draw),
    InvokeMode: draw.random.pick(['BUFFERED', 'RESPONSE_STREAM']),
  };
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

function updateUrl(draw: Draw): Journey {
  const target = urlTarget(draw);
  const settings = urlSettings(draw);
  return {
    prepare: [['CreateFunctionUrlConfig', { ...target, AuthType: 'NONE' }]],
    input: { ...target, ...settings },
    answers: settings,
    reads: () => [read('GetFunctionUrlConfig', target, settings)],
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

function anyVersion({ random }: Draw): Body {
  return { ...named, Qualifier: random.pick(['$LATEST', '1', '2', aliasName]) };
}

function eventInvoke(draw: Draw): Body {
  const { random } = draw;
  const destination = (): Body => ({
    Destination: `arn:aws:${random.pick(['sqs', 'sns'])}:${region}:${accountId}:target`,
  });
  return {
    MaximumRetryAttempts: random.integer(0, 2),
    MaximumEventAgeInSeconds: random.pick([60, 21_600, random.integer(60, 21_600)]),
    DestinationConfig: { OnSuccess: destination(), OnFailure: destination() },
  };
}

function writeEventInvoke(isUpdate: boolean): (draw: Draw) => Journey {
  return (draw) => {
    const target = anyVersion(draw);
    const settings = eventInvoke(draw);
    return {
      ...(isUpdate
        ? { prepare: [['PutFunctionEventInvokeConfig', { ...target, MaximumRetryAttempts: 1 }]] }
        : {}),
      input: { ...target, ...settings },
      answers: settings,
      reads: (answer) => [
        read('GetFunctionEventInvokeConfig', target, { ...answer, ...settings }),
        read('ListFunctionEventInvokeConfigs', named, { FunctionEventInvokeConfigs: [settings] }),
      ],
      undo: () => [['DeleteFunctionEventInvokeConfig', target]],
    };
  };
}

function deleteEventInvoke(draw: Draw): Journey {
  const target = anyVersion(draw);
  return {
    prepare: [['PutFunctionEventInvokeConfig', { ...target, MaximumRetryAttempts: 1 }]],
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

/** Manual, which keeps the runtime from being changed, only for versions. */
function putRuntimeManagement(draw: Draw): Journey {
  const { random } = draw;
  const isManual = random.chance(0.5);
  const target = isManual ? { ...named, Qualifier: random.pick(['1', '2']) } : anyVersion(draw);
  const RuntimeVersionArn = `arn:aws:lambda:${region}::runtime:${random.hex(32)}`;
  const shown = isManual
    ? { UpdateRuntimeOn: 'Manual', RuntimeVersionArn }
    : { UpdateRuntimeOn: random.pick(['Auto', 'FunctionUpdate']) };
  return {
    input: { ...target, ...shown },
    answers: shown,
    reads: () => [read('GetRuntimeManagementConfig', target, shown)],
  };
}

function addPermission(draw: Draw): Journey {
  const { random } = draw;
  const StatementId = draw.newName();
  const Principal = random.pick(['*', accountId, 's3.amazonaws.com']);
  const Action = random.pick(['lambda:InvokeFunction', 'lambda:GetFunction', 'lambda:*']);
  const target = random.pick([named, { ...named, Qualifier: aliasName }]);
  return {
    input: {
      ...target,
      ...{ StatementId, Principal, Action },
      SourceAccount: draw.maybe(accountId),
      SourceArn: draw.maybe(`arn:aws:s3:::${random.hex(4)}`),
    },
    reads: () => [
      read('GetPolicy', target, {
        Policy: (policy: unknown) => String(policy).includes(`"${StatementId}"`),
      }),
    ],
    undo: () => [['RemovePermission', { ...target, StatementId }]],
  };
}

function removePermission(draw: Draw): Journey {
  const StatementId = draw.newName();
  const permission = { StatementId, Principal: '*', Action: 'lambda:InvokeFunction' };
  return {
    prepare: [['AddPermission', { ...named, ...permission }]],
    input: { ...named, StatementId },
    reads: () => [isGone('GetPolicy', named)],
  };
}

function putResourcePolicy(draw: Draw): Journey {
  const { random } = draw;
  const Sid = `s${random.hex(4)}`;
  const Statement = [
    {
      Sid,
      Effect: 'Allow',
      Principal: random.pick(['*', { AWS: `arn:aws:iam::${accountId}:root` }]),
      Action: 'lambda:InvokeFunction',
      Resource: functionArn,
    },
  ];
  const resource = { ResourceArn: functionArn };
  return {
    input: { ...resource, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) },
    reads: () => [
      read('GetResourcePolicy', resource, {
        Policy: (policy: unknown) => String(policy).includes(`"${Sid}"`),
      }),
    ],
    undo: () => [['DeleteResourcePolicy', resource]],
  };
}

function createCodeSigning(draw: Draw): Journey {
  const { random } = draw;
  const profile = (): string =>
    `arn:aws:signer:${region}:${accountId}:/signing-profiles/p${random.hex(3)}/${random.hex(5)}`;
  const settings = {
    Description: `about ${random.hex(3)}`,
    AllowedPublishers: {
      SigningProfileVersionArns: Array.from({ length: random.integer(1, 20) }, profile),
    },
    CodeSigningPolicies: { UntrustedArtifactOnDeployment: random.pick(['Warn', 'Enforce']) },
  };
  const arnIn = (answer: Body): Body => {
    const { CodeSigningConfigArn } = answer['CodeSigningConfig'] as Body;
    return { CodeSigningConfigArn };
  };
  return {
    input: settings,
    answers: { CodeSigningConfig: settings },
    reads: (answer) => [
      read('GetCodeSigningConfig', arnIn(answer), { CodeSigningConfig: settings }),
      read('ListFunctionsByCodeSigningConfig', arnIn(answer), { FunctionArns: [] }),
    ],
    undo: (answer) => [
      ['UpdateCodeSigningConfig', { ...arnIn(answer), Description: 'other' }],
      ['PutFunctionCodeSigningConfig', { ...named, ...arnIn(answer) }],
      ['DeleteFunctionCodeSigningConfig', named],
      ['DeleteCodeSigningConfig', arnIn(answer)],
    ],
  };
}

export const settingsKnowledge: KnowledgeTable = {
  CreateFunctionUrlConfig: createUrl,
  UpdateFunctionUrlConfig: updateUrl,
  DeleteFunctionUrlConfig: deleteUrl,
  PutFunctionEventInvokeConfig: writeEventInvoke(false),
  UpdateFunctionEventInvokeConfig: writeEventInvoke(true),
  DeleteFunctionEventInvokeConfig: deleteEventInvoke,
  PutFunctionRecursionConfig: putRecursion,
  PutRuntimeManagementConfig: putRuntimeManagement,
  AddPermission: addPermission,
  RemovePermission: removePermission,
  PutResourcePolicy: putResourcePolicy,
  CreateCodeSigningConfig: createCodeSigning,
  ListCodeSigningConfigs: () => ({ input: {} }),
  GetFunctionCodeSigningConfig: () => ({ input: named, answers: { CodeSigningConfigArn: absent } }),
};
