/** Right uses of the operations on event source mappings: of queues and of streams. */
import { accountId, region } from '../conformance/server.ts';
import { functionForms } from './configuration-knowledge.ts';
import { functionArn } from './fixture.ts';
import { read, type Body, type Draw, type Journey, type KnowledgeTable } from './journey.ts';

/** A source that no other mapping has, with settings that its kind allows. */
function source({ random }: Draw): { readonly fixed: Body; readonly settings: Body } {
  const name = `p${random.hex(5)}`;
  if (random.chance(0.5)) {
    return {
      fixed: { EventSourceArn: `arn:aws:sqs:${region}:${accountId}:${name}` },
      settings: {
        BatchSize: random.integer(1, 10),
        ScalingConfig: { MaximumConcurrency: random.integer(2, 1000) },
        FunctionResponseTypes: random.pick([[], ['ReportBatchItemFailures']]),
      },
    };
  }
  return {
    fixed: {
      EventSourceArn: `arn:aws:kinesis:${region}:${accountId}:stream/${name}`,
      StartingPosition: random.pick(['LATEST', 'TRIM_HORIZON']),
    },
    settings: {
      BatchSize: random.integer(1, 100),
      MaximumBatchingWindowInSeconds: random.integer(0, 300),
      // One or the other, and filters with the former alone.
      ...(random.chance(0.5)
        ? { ParallelizationFactor: random.integer(1, 10) }
        : { TumblingWindowInSeconds: random.integer(0, 900) }),
      BisectBatchOnFunctionError: random.chance(0.5),
      MaximumRecordAgeInSeconds: random.pick([-1, 60, 604_800]),
      MaximumRetryAttempts: random.pick([-1, 0, 10_000]),
    },
  };
}

function create(draw: Draw): Journey {
  const { random } = draw;
  const { fixed, settings } = source(draw);
  const Pattern = JSON.stringify({ body: { kind: [random.hex(2)] } });
  const filters = { FilterCriteria: { Filters: [{ Pattern }] } };
  const isWindowed = 'TumblingWindowInSeconds' in settings;
  const shown = { ...fixed, ...settings, FunctionArn: functionArn, ...(isWindowed ? {} : filters) };
  const { FunctionArn, ...sent } = shown;
  return {
    input: { ...sent, FunctionName: random.pick(functionForms()), Enabled: random.chance(0.5) },
    answers: { FunctionArn, ...sent },
    reads: (answer) => [
      read('GetEventSourceMapping', uuidOf(answer), shown),
      read(
        'ListEventSourceMappings',
        { EventSourceArn: fixed['EventSourceArn'] },
        {
          EventSourceMappings: [shown],
        },
      ),
    ],
    undo: (answer) => [
      ['UpdateEventSourceMapping', { ...uuidOf(answer), BatchSize: 1 }],
      ['DeleteEventSourceMapping', uuidOf(answer)],
    ],
  };
}

function uuidOf({ UUID }: Body): Body {
  return { UUID };
}

export const mappingKnowledge: KnowledgeTable = {
  CreateEventSourceMapping: create,
  ListEventSourceMappings: (draw) => ({
    input: draw.input('ListEventSourceMappings', {
      FunctionName: draw.maybe(draw.random.pick(functionForms())),
      ...{ EventSourceArn: undefined, Marker: undefined },
    }),
  }),
};
