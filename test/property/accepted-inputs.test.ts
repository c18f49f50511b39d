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
import {
  codeSigningArnIn,
  codeSigningCreation,
  codeSigningKnowledge,
} from './code-signing-knowledge.ts';
import { missingFrom } from './contains.ts';
import { Failures, shown } from './failures.ts';
import {
  aliasName,
  archives,
  functionArn,
  functionName,
  layerName,
  layerVersionArn,
} from './fixture.ts';
import { functionKnowledge } from './function-knowledge.ts';
import {
  Draw,
  type Body,
  type Journey,
  type KnowledgeTable,
  type Read,
  type Step,
} from './journey.ts';
import { anyMapping, mappingKnowledge } from './mapping-knowledge.ts';
import { ModelStrings } from './model-strings.ts';
import { ModelValues } from './model-values.ts';
import { otherKnowledge } from './other-knowledge.ts';
import { policyKnowledge } from './policy-knowledge.ts';
import { settingsKnowledge } from './settings-knowledge.ts';
import { startPropertyRig, type PropertyRig } from './property-rig.ts';
import { excuseOf, neverRight } from './never-right.ts';
import { UsedMembers } from './used-members.ts';
import { anyChange } from './world-changes.ts';
import {
  accountRead,
  listings,
  listOperations,
  readsOf,
  type ListOperation,
} from './world-reads.ts';
import { World } from './world.ts';
import type { WireAnswer, WireInput } from './wire-request.ts';

const JOURNEYS_EACH = 20;
/** As long as there is a member that none has used. */
const JOURNEYS_EACH_MAX = 500;
const CHANGES = 400;
/** As long as there is a member of a listing's input that none has used. */
const CHANGES_MAX = 2_500;
/** After every change. */
const LISTINGS_EACH = 2;
const READ_ALL_EVERY = 25;
const ANY_INPUTS = 5_000;

const knowledge: KnowledgeTable = {
  ...codeSigningKnowledge,
  ...functionKnowledge,
  ...mappingKnowledge,
  ...otherKnowledge,
  ...policyKnowledge,
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

/** Which server, and what makes its inputs. */
interface Trip {
  readonly rig: PropertyRig;
  readonly draw: Draw;
}

const used = new UsedMembers(implementedOperations);

/** Members of an operation's input that no right input has used yet. */
function unusedOf(operation: ApiOperationName): string[] {
  return used.unusedOf(operation).filter((member) => excuseOf(member) === undefined);
}

/** Throws what is wrong, with the input. */
async function mustSend([operation, input]: Step, to = rig): Promise<Body> {
  const answer = await to.send(operation, input);
  await to.settled();
  if (answer.status < 300) {
    used.record(operation, input);
    return (answer.body ?? {}) as Body;
  }
  throw new Error(shown(operation, { input }, answer));
}

async function travel(operation: ApiOperationName, journey: Journey): Promise<void> {
  let prepared: Body = {};
  for (const step of journey.prepare ?? []) {
    const answer = await mustSend(typeof step === 'function' ? step(prepared) : step);
    prepared = { ...prepared, ...answer };
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
    await checkRead({ step, shows }, JSON.stringify(input));
  }
  for (const step of journey.undo?.(answer, prepared) ?? []) await mustSend(step);
}

async function checkRead({ step, shows }: Read, after: string, from = rig): Promise<void> {
  const [operation, input] = step;
  const answer = await from.send(operation, input);
  const fault =
    'errorName' in shows
      ? answer.errorName === shows.errorName
        ? undefined
        : `does not give ${shows.errorName}`
      : lacking(answer.body, shows.body);
  if (fault === undefined) {
    if (answer.status < 300) used.record(operation, input);
    return;
  }
  const read = shown(operation, { input }, answer);
  throw new Error(`${fault} after ${after}\n  ${read} ${JSON.stringify(answer.body)}`);
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

/** All pages of a listing show what the world has, and nothing else. */
async function checkListing(operation: ListOperation, world: World, { rig: from, draw }: Trip) {
  const listing = listings[operation](world, draw);
  if (listing === undefined) return;
  const { input, member, items } = listing;
  const { random } = draw;
  const MaxItems = random.pick([undefined, 1, 2, 3, random.integer(4, 50)]);
  const paged = { ...input, ...(MaxItems === undefined ? {} : { MaxItems }) };
  const found: unknown[] = [];
  let marker: Body = {};
  do {
    const body = await mustSend([operation, { ...paged, ...marker }], from);
    const list = body[member] as readonly unknown[];
    assert(list.length <= (MaxItems ?? Infinity), `${operation}: a page of ${list.length}`);
    found.push(...list);
    const { NextMarker: Marker } = body;
    marker = Marker === undefined ? {} : { Marker };
  } while ('Marker' in marker && found.length <= items.length);
  const missing = missingFrom(found, items);
  if (missing === undefined) return;
  const difference = `${JSON.stringify(found)}\n  not ${JSON.stringify(items)}`;
  throw new Error(`${operation} ${JSON.stringify(paged)} lists at ${missing}\n  ${difference}`);
}

/** Those first of which there is something that none has used yet. */
function nextListing({ random }: Draw): ListOperation {
  const unused = listOperations.filter((name) => unusedOf(name).length > 0);
  return random.pick(unused.length > 0 && random.chance(0.5) ? unused : listOperations);
}

function isEnoughChanges(count: number): boolean {
  const isUsed = (): boolean => listOperations.every((name) => unusedOf(name).length === 0);
  return count >= CHANGES_MAX || (count >= CHANGES && isUsed());
}

test('what was written is there, is listed page by page, is counted, and nothing else is', async (t) => {
  t.diagnostic(`HEARTH_SEED=${seed}`);
  const own = await startPropertyRig([]);
  t.after(() => own.stop());
  const draw = newDraw();
  const world = new World();
  let changes = 0;
  try {
    for (; !isEnoughChanges(changes); changes += 1) {
      const { step, apply } = anyChange(world, draw);
      apply(await mustSend(step, own));
      const after = `${changes} changes, the last ${JSON.stringify(step)}`;
      const reads = changes % READ_ALL_EVERY === 0 ? readsOf(world) : [accountRead(world)];
      for (const one of reads) await checkRead(one, after, own);
      for (let count = 0; count < LISTINGS_EACH; count += 1) {
        await checkListing(nextListing(draw), world, { rig: own, draw });
      }
    }
  } catch (error) {
    throw new Error(`HEARTH_SEED=${seed}: after ${changes} changes`, { cause: error });
  }
  t.diagnostic(`${changes} changes`);
});

type Known = Readonly<Record<string, readonly unknown[]>>;

/** By members' names: what is there, so that an input gets further than to be told that it is not. */
const fixed: Known = {
  FunctionName: [functionName, functionArn],
  Qualifier: ['1', '2', '$LATEST', aliasName],
  FunctionVersion: ['1', '2', '$LATEST'],
  Name: [aliasName],
  LayerName: [layerName],
  VersionNumber: [1],
  Arn: [layerVersionArn],
  ResourceArn: [functionArn],
};

/** They would take away what all others need. */
const destructive: ReadonlySet<ApiOperationName> = new Set([
  'DeleteFunction',
  'DeleteLayerVersion',
  'DeleteEventSourceMapping',
  'DeleteCodeSigningConfig',
]);

/** As fixed, with what has a new name each time. */
async function makeKnown(draw: Draw): Promise<Known> {
  const { UUID, EventSourceMappingArn } = await mustSend(anyMapping(draw));
  const { CodeSigningConfigArn } = codeSigningArnIn(await mustSend(codeSigningCreation));
  return {
    ...fixed,
    UUID: [UUID],
    CodeSigningConfigArn: [CodeSigningConfigArn],
    Resource: [functionArn, EventSourceMappingArn, CodeSigningConfigArn],
    Code: archives.map((ZipFile) => ({ ZipFile })),
    Content: archives.map((ZipFile) => ({ ZipFile })),
    ZipFile: archives,
  };
}

function anyInput(draw: Draw, operation: ApiOperationName, known: Known): WireInput {
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
  const known = await makeKnown(draw);
  const failures = new Failures(seed);
  const statuses = new Map<number, number>();
  for (let count = 0; count < ANY_INPUTS; count += 1) {
    const operation = implementedOperations[count % implementedOperations.length]!;
    const input = anyInput(draw, operation, known);
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

test('right inputs use every operation and every member of its input', () => {
  const unused = implementedOperations.flatMap((name) => used.unusedOf(name));
  const unexcused = unused.filter((member) => excuseOf(member) === undefined);
  assert.deepEqual(unexcused, [], 'give them a right use, or a reason in never-right.ts');
  const needed = new Set(unused.map(excuseOf));
  const needless = Object.keys(neverRight).filter((name) => !needed.has(name));
  assert.deepEqual(needless, [], 'used now, or not there: to be taken off never-right.ts');
});
