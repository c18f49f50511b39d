/**
 * Every constraint that the service model has for the input of an operation that is implemented, broken
 * many times and one at a time: the modelled refusal, and nothing is changed. The constraints come from the
 * model, so an operation that is added is tested from its first day.
 *
 * `HEARTH_SEED=<seed>` makes the same inputs again.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, before, test } from 'node:test';
import { implementedOperations } from '../../src/api/operations/implemented.ts';
import { operationNamed } from '../../src/model/service-model.ts';
import { SeededRandom } from '../simulation/seeded-random.ts';
import { constraintsOf, type BrokenInput } from './broken-inputs.ts';
import { modelConstraintsOf } from './model-constraints.ts';
import { ModelStrings } from './model-strings.ts';
import { ModelValues } from './model-values.ts';
import { startPropertyRig, type PropertyRig } from './property-rig.ts';
import { Failures, shown } from './failures.ts';
import type { WireAnswer } from './wire-request.ts';

const INPUTS = 20_000;

const anyText = 'every text matches';

/** Constraints that no input breaks, or none breaks alone, each with the reason. */
const unbreakable: Readonly<Record<string, string>> = {
  'CreateEventSourceMapping FilterCriteria.Filters[].Pattern: pattern': anyText,
  'CreateEventSourceMapping Queues[]: pattern': anyText,
  'CreateEventSourceMapping SelfManagedEventSource.Endpoints: max': 'there is one key, not three',
  'UpdateEventSourceMapping FilterCriteria.Filters[].Pattern: pattern': anyText,
  'PutResourcePolicy Policy: pattern': anyText,
};

let rig: PropertyRig;
before(async () => {
  rig = await startPropertyRig();
});
after(() => rig.stop());

const seed = Number(process.env['HEARTH_SEED'] ?? randomInt(2 ** 31));

const values = new ModelValues(new ModelStrings(seed));

test('an input that breaks one constraint is refused as modelled and changes nothing', async (t) => {
  t.diagnostic(`HEARTH_SEED=${seed}`);
  const random = new SeededRandom(seed);
  const constraints = implementedOperations.flatMap((name) =>
    constraintsOf(operationNamed(name), values).map((constraint) => ({
      operation: name,
      constraint,
    })),
  );
  const neverBroken = new Set(constraints.map(({ constraint }) => constraint.name));
  const failures = new Failures(seed);
  const contentBefore = rig.stored.content();
  const account = await rig.send('GetAccountSettings', {});
  const revision = rig.stored.revision();
  let inputs = 0;
  while (inputs < INPUTS) {
    for (const { operation, constraint } of constraints) {
      const broken = constraint.break(random);
      if (broken === undefined) continue;
      neverBroken.delete(constraint.name);
      inputs += 1;
      const answer = await rig.send(operation, broken.input);
      let fault = faultOf(broken, answer);
      if (rig.stored.revision() !== revision) fault = 'something was changed';
      if (fault !== undefined)
        failures.add(constraint.name, fault, shown(operation, broken, answer));
    }
  }
  failures.throwIfAny();
  assert.deepEqual(rig.stored.content(), contentBefore);
  assert.deepEqual(await rig.send('GetAccountSettings', {}), account);
  assert(inputs >= INPUTS, `${inputs} inputs`);
  t.diagnostic(`${inputs} inputs, ${constraints.length} constraints`);
  assert.deepEqual([...neverBroken].sort(), Object.keys(unbreakable).sort());
});

function faultOf({ refusal }: BrokenInput, answer: WireAnswer): string | undefined {
  const { status, errorName, text } = refusal;
  if (answer.status !== status || answer.errorName !== errorName) {
    return `not ${status} ${errorName} but ${answer.status} ${answer.errorName}`;
  }
  if (!answer.message.includes(text)) return `the message has no "${text}"`;
  // Too short and too long values seldom match their patterns; no other member is at fault.
  const members = answer.message.match(/(?<= at ')[^']*(?=' failed to satisfy constraint: )/gu);
  return new Set(members).size > 1 ? 'other members are refused, too' : undefined;
}

test('every constraint of the service model is broken', () => {
  for (const name of implementedOperations) {
    const operation = operationNamed(name);
    const broken = new Set(constraintsOf(operation, values).map((constraint) => constraint.name));
    const all = [...modelConstraintsOf(operation)];
    assert.deepEqual(
      all.filter((constraint) => !broken.has(constraint)),
      [],
    );
  }
});
