/** Right uses of the operations on what belongs to a function beside its configuration. */
import { accountId, region } from '../conformance/server.ts';
import { anyName, functionForms, named } from './configuration-knowledge.ts';
import { absent } from './contains.ts';
import { aliasName } from './fixture.ts';
import {
  isGone,
  read,
  type Body,
  type Draw,
  type Journey,
  type KnowledgeTable,
  type Step,
} from './journey.ts';

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
  // Who does not ask for a mode is not told it.
  const { InvokeMode = absent } = settings;
  return {
    prepare: [['CreateFunctionUrlConfig', { ...target, ...before }]],
    input: { ...target, ...settings },
    answers: { ...shown, InvokeMode },
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
  return draw.several([
    { MaximumRetryAttempts: random.integer(0, 2) },
    { MaximumEventAgeInSeconds: random.pick([60, 21_600, random.integer(60, 21_600)]) },
    {
      DestinationConfig: draw.several([
        { OnSuccess: destination(kinds, draw) },
        { OnFailure: destination([...kinds, 's3'], draw) },
      ]),
    },
  ]);
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
};
