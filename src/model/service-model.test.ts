import assert from 'node:assert/strict';
import { test } from 'node:test';
import { operationNamed, operations, shapes } from './service-model.ts';

test('the model has 88 operations, linked to their shapes', () => {
  assert.equal(operations.size, 88);
  const invoke = operationNamed('Invoke');
  assert.equal(invoke.input, shapes.get('InvocationRequest'));
  const locations = new Map(invoke.input!.members.map(({ name, location }) => [name, location]));
  assert.equal(locations.get('FunctionName'), 'uri');
  assert.equal(locations.get('Payload'), 'payload');
  assert.equal(locations.get('LogType'), 'header');
  assert.equal(locations.get('Qualifier'), 'querystring');
});

test('constant query parameters are split from the path', () => {
  const operation = operationNamed('GetLayerVersionByArn');
  assert.equal(operation.path, '/2018-10-31/layers');
  assert.deepEqual(operation.requiredQuery, [['find', 'LayerVersion']]);
});

test('required members, enums and sensitivity are carried over', () => {
  const create = shapes.get('CreateFunctionRequest')!;
  const required = create.members.filter((member) => member.required).map(({ name }) => name);
  assert.deepEqual(required, ['FunctionName', 'Role', 'Code']);
  assert.ok(shapes.get('Runtime')?.enumValues?.includes('nodejs24.x'));
  assert.ok(shapes.get('EnvironmentVariables')?.isSensitive);
});
