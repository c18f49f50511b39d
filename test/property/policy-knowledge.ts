/** Right uses of the operations on policies of functions, versions and aliases. */
import { accountId } from '../conformance/server.ts';
import { anyName, named } from './configuration-knowledge.ts';
import { aliasName, functionArn } from './fixture.ts';
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
    // A permission that is not for URLs alone says nothing of them.
    conditions: Object.values({ ...ofUrl, ...conditions })
      .filter((value) => value !== false)
      .map((value) => `"${String(value)}"`),
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

export const policyKnowledge: KnowledgeTable = {
  AddPermission: addPermission,
  RemovePermission: removePermission,
  GetPolicy: getPolicy,
  PutResourcePolicy: putResourcePolicy,
  GetResourcePolicy: getResourcePolicy,
  DeleteResourcePolicy: deleteResourcePolicy,
};
