/**
 * Right inputs, made from the service model and a small table of what it does not say: they are accepted,
 * and what was sent is read back. And any inputs that the model allows, right or not: never a fault of
 * the server, and a refusal changes nothing.
 *
 * `HEARTH_SEED=<seed>` makes the same inputs again.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, before, test } from 'node:test';
import { implementedOperations } from '../../src/api/operations/implemented.ts';
import type { ApiOperationName } from '../../src/model/generated/api-types.ts';
import { operationNamed } from '../../src/model/service-model.ts';
import { SeededRandom } from '../simulation/seeded-random.ts';
import { missingFrom } from './contains.ts';
import { Failures, shown } from './failures.ts';
import { aliasName, functionArn, functionName, layerName, layerVersionArn } from './fixture.ts';
import { functionKnowledge } from './function-knowledge.ts';
import { Draw, type Body, type Journey, type KnowledgeTable, type Step } from './journey.ts';
import { mappingKnowledge } from './mapping-knowledge.ts';
import { ModelStrings } from './model-strings.ts';
import { ModelValues } from './model-values.ts';
import { otherKnowledge } from './other-knowledge.ts';
import { settingsKnowledge } from './settings-knowledge.ts';
import { startPropertyRig, type PropertyRig } from './property-rig.ts';
import { excuseOf, neverRight } from './never-right.ts';
import { UsedMembers } from './used-members.ts';
import type { WireAnswer, WireInput } from './wire-request.ts';

const JOURNEYS_EACH = 25;
/** As long as there is a member that none has used. */
const JOURNEYS_EACH_MAX = 500;
const ANY_INPUTS = 5_000;

const knowledge: KnowledgeTable = {
  ...functionKnowledge,
  ...mappingKnowledge,
  ...otherKnowledge,
  ...settingsKnowledge,
};

let rig: PropertyRig;
before(async () => {
  rig = await startPropertyRig();
});
after(() => rig.stop());

const seed = Number(process.env['HEARTH_SEED'] ?? randomInt(2 ** 31));

function newDraw(): Draw {
  return new Draw(new SeededRandom(seed), new ModelValues(new ModelStrings(seed)));
}

const used = new UsedMembers(implementedOperations);

/** Members of an operation's input that no right input has used yet. */
function unusedOf(operation: ApiOperationName): string[] {
  return used.unusedOf(operation).filter((member) => excuseOf(member) === undefined);
}

/** Throws what is wrong, with the input. */
async function mustSend([operation, input]: Step): Promise<Body> {
  const answer = await rig.send(operation, input);
  await rig.settled();
  if (answer.status < 300) {
    used.record(operation, input);
    return (answer.body ?? {}) as Body;
  }
  throw new Error(shown(operation, { input }, answer));
}

async function travel(operation: ApiOperationName, journey: Journey): Promise<void> {
  let prepared: Body = {};
  for (const step of journey.prepare ?? []) {
    prepared = await mustSend(typeof step === 'function' ? step(prepared) : step);
  }
  const input = typeof journey.input === 'function' ? journey.input(prepared) : journey.input;
  const answer = await mustSend([operation, input]);
  if (journey.answers !== undefined) {
    const missing = missingFrom(answer, journey.answers);
    const sent = JSON.stringify(input);
    assert(
      missing === undefined,
      `the answer to ${sent} lacks ${missing}: ${JSON.stringify(answer)}`,
    );
  }
  for (const { step, shows } of journey.reads?.(answer, prepared) ?? []) {
    await checkRead(input, step, shows);
  }
  for (const step of journey.undo?.(answer, prepared) ?? []) await mustSend(step);
}

async function checkRead(
  input: WireInput,
  [operation, readInput]: Step,
  shows: { readonly body: unknown } | { readonly errorName: string },
): Promise<void> {
  const answer = await rig.send(operation, readInput);
  const fault =
    'errorName' in shows
      ? answer.errorName === shows.errorName
        ? undefined
        : `does not give ${shows.errorName}`
      : lacking(answer.body, shows.body);
  if (fault === undefined) return;
  const read = shown(operation, { input: readInput }, answer);
  throw new Error(
    `${fault} after ${JSON.stringify(input)}\n  ${read} ${JSON.stringify(answer.body)}`,
  );
}

function lacking(body: unknown, expected: unknown): string | undefined {
  const missing = missingFrom(body, expected);
  return missing === undefined ? undefined : `does not show ${missing}`;
}

test('right inputs are accepted and read back', async (t) => {
  t.diagnostic(`HEARTH_SEED=${seed}`);
  const draw = newDraw();
  const failures = new Failures(seed);
  const names = implementedOperations.filter((name) => knowledge[name] !== undefined);
  let journeys = 0;
  for (const operation of names) {
    const isEnough = (count: number): boolean =>
      count >= JOURNEYS_EACH_MAX || (count >= JOURNEYS_EACH && unusedOf(operation).length === 0);
    for (let count = 0; !isEnough(count); count += 1) {
      journeys += 1;
      try {
        await travel(operation, knowledge[operation]!(draw));
      } catch (error) {
        failures.add(operation, (error as Error).message, '');
      }
    }
  }
  failures.throwIfAny();
  t.diagnostic(`${journeys} right inputs`);
});

/** By members' names: what is there, so that an input gets further than to be told that it is not. */
const known: Readonly<Record<string, readonly unknown[]>> = {
  FunctionName: [functionName, functionArn],
  Qualifier: ['1', '2', '$LATEST', aliasName],
  FunctionVersion: ['1', '2', '$LATEST'],
  Name: [aliasName],
  LayerName: [layerName],
  VersionNumber: [1],
  Arn: [layerVersionArn],
  Resource: [functionArn],
  ResourceArn: [functionArn],
};

/** They would take away what all others need. */
const destructive: ReadonlySet<ApiOperationName> = new Set([
  'DeleteFunction',
  'DeleteLayerVersion',
]);

function anyInput(draw: Draw, operation: ApiOperationName): WireInput {
  const { random } = draw;
  const members = operationNamed(operation).input?.members ?? [];
  const given: Record<string, unknown> = {};
  for (const { name, required, shape } of members) {
    if (destructive.has(operation)) continue;
    const values = (known[name] ?? []).filter(
      (value) => typeof value !== 'string' || draw.values.strings.satisfies(value, shape),
    );
    if (values.length > 0 && random.chance(required ? 0.8 : 0.3)) given[name] = random.pick(values);
  }
  // Functions are run elsewhere.
  if (operation === 'Invoke') given['InvocationType'] = 'DryRun';
  return draw.input(operation, given);
}

/** Names of errors that only an input can have which the model does not allow. */
const ofTheModel: ReadonlySet<string> = new Set(['ValidationException', 'SerializationException']);

function faultOf({ status, errorName }: WireAnswer, isChanged: boolean): string | undefined {
  if (status >= 500) return `a fault of the server: ${status}`;
  if (ofTheModel.has(errorName)) return `refused as if the model did not allow it: ${errorName}`;
  return status >= 400 && isChanged ? 'refused, and yet something was changed' : undefined;
}

test('no input that the model allows is a fault of the server, and no refusal changes anything', async (t) => {
  t.diagnostic(`HEARTH_SEED=${seed}`);
  const draw = newDraw();
  const failures = new Failures(seed);
  const statuses = new Map<number, number>();
  for (let count = 0; count < ANY_INPUTS; count += 1) {
    const operation = implementedOperations[count % implementedOperations.length]!;
    const input = anyInput(draw, operation);
    await rig.settled();
    const revision = rig.stored.revision();
    const answer = await rig.send(operation, input);
    const fault = faultOf(answer, rig.stored.revision() !== revision);
    if (fault !== undefined) failures.add(operation, fault, shown(operation, { input }, answer));
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
  }
  failures.throwIfAny();
  t.diagnostic(`${ANY_INPUTS} inputs; statuses ${JSON.stringify([...statuses].sort())}`);
});

test('right inputs use every member of every input', () => {
  const unused = implementedOperations.flatMap((name) => used.unusedOf(name));
  const unexcused = unused.filter((member) => excuseOf(member) === undefined);
  assert.deepEqual(unexcused, [], 'give them a right use, or a reason in never-right.ts');
  const needed = new Set(unused.map(excuseOf));
  const needless = Object.keys(neverRight).filter((name) => !needed.has(name));
  assert.deepEqual(needless, [], 'used now, or not there: to be taken off never-right.ts');
});
