/** Right uses of the operations on code signing configurations. */
import { accountId, region } from '../conformance/server.ts';
import { anyName, named, tags } from './configuration-knowledge.ts';
import { absent, exactly } from './contains.ts';
import { functionArn } from './fixture.ts';
import {
  isGone,
  read,
  type Body,
  type Draw,
  type Journey,
  type KnowledgeTable,
  type Step,
} from './journey.ts';

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

export function undoCodeSigning(answer: Body): readonly Step[] {
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

export const codeSigningKnowledge: KnowledgeTable = {
  CreateCodeSigningConfig: createCodeSigning,
  UpdateCodeSigningConfig: updateCodeSigning,
  GetCodeSigningConfig: getCodeSigning,
  DeleteCodeSigningConfig: deleteCodeSigning,
  PutFunctionCodeSigningConfig: putFunctionCodeSigning,
  GetFunctionCodeSigningConfig: getFunctionCodeSigning,
  DeleteFunctionCodeSigningConfig: deleteFunctionCodeSigning,
};
