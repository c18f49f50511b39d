import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isApiError } from '../model/errors.ts';
import type { ApiOperationName } from '../model/generated/api-types.ts';
import { operationNamed, operations, shapes } from '../model/service-model.ts';
import { createInputValidator } from './validate.ts';

type Input = Readonly<Record<string, unknown>>;

function refusal(name: ApiOperationName, input: Input): { code: string; message: string } {
  try {
    createInputValidator(operationNamed(name))(input);
  } catch (error) {
    if (isApiError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  assert.fail('the input was accepted');
}

function violation(name: ApiOperationName, input: Input): string {
  const { code, message } = refusal(name, input);
  assert.equal(code, 'ValidationException');
  const [, text = ''] = /^1 validation error detected: (.*)$/s.exec(message) ?? [];
  assert.notEqual(text, '', message);
  return text;
}

const role = 'arn:aws:iam::000000000000:role/r';
const create = { FunctionName: 'f', Role: role, Code: {} };

describe('input validator', () => {
  test('accepts a complete input', () => {
    createInputValidator(operationNamed('CreateFunction'))({
      ...create,
      Runtime: 'nodejs24.x',
      Timeout: 900,
      MemorySize: 10_240,
      EphemeralStorage: { Size: 512 },
      Environment: { Variables: { AB: '' } },
      Tags: { k: '' },
      Layers: ['arn:aws:lambda:us-east-1:000000000000:layer:l:1'],
      Architectures: ['arm64'],
      KMSKeyArn: '',
    });
  });

  test('required members', () => {
    const constraint = 'failed to satisfy constraint: Member must not be null';
    assert.deepEqual(refusal('CreateFunction', { FunctionName: 'f' }), {
      code: 'ValidationException',
      message: `2 validation errors detected: Value null at 'role' ${constraint}; Value null at 'code' ${constraint}`,
    });
  });

  test('documented bounds that are narrower than the model', () => {
    const cases: [Input, string, string][] = [
      [{ MemorySize: 10_241 }, "'10241' at 'memorySize'", 'less than or equal to 10240'],
      [{ MemorySize: 127 }, "'127' at 'memorySize'", 'greater than or equal to 128'],
      [{ Timeout: 901 }, "'901' at 'timeout'", 'less than or equal to 900'],
      [{ Timeout: 0 }, "'0' at 'timeout'", 'greater than or equal to 1'],
      [
        { EphemeralStorage: { Size: 10_241 } },
        "'10241' at 'ephemeralStorage.size'",
        'less than or equal to 10240',
      ],
      [
        { EphemeralStorage: { Size: 511 } },
        "'511' at 'ephemeralStorage.size'",
        'greater than or equal to 512',
      ],
    ];
    for (const [input, value, bound] of cases) {
      assert.equal(
        violation('CreateFunction', { ...create, ...input }),
        `Value ${value} failed to satisfy constraint: Member must have value ${bound}`,
      );
    }
  });

  test('pattern, anchored at both ends', () => {
    const pattern = shapes.get('NamespacedFunctionName')!.pattern!;
    for (const name of ['a b', ' a', 'a\n', 'a/b', 'é']) {
      assert.equal(
        violation('Invoke', { FunctionName: name }),
        `Value '${name}' at 'functionName' failed to satisfy constraint: ` +
          `Member must satisfy regular expression pattern: ${pattern}`,
      );
    }
  });

  test('length', () => {
    assert.equal(
      violation('CreateFunction', { ...create, Description: 'x'.repeat(257) }),
      `Value '${'x'.repeat(257)}' at 'description' failed to satisfy constraint: ` +
        'Member must have length less than or equal to 256',
    );
    const { message } = refusal('Invoke', { FunctionName: '' });
    assert.match(message, /^2 validation errors detected: Value '' at 'functionName' failed to /);
    assert.match(message, /: Member must have length greater than or equal to 1; Value ''/);
  });

  test('enum', () => {
    assert.equal(
      violation('Invoke', { FunctionName: 'f', LogType: 'All' }),
      "Value 'All' at 'logType' failed to satisfy constraint: " +
        'Member must satisfy enum value set: [None, Tail]',
    );
  });

  test('first letter of a path in lower case, no more', () => {
    assert.match(
      violation('CreateFunction', { ...create, KMSKeyArn: 'x' }),
      /^Value 'x' at 'kMSKeyArn'/,
    );
  });

  test('an invalid list element is reported on the list', () => {
    const layer = shapes.get('LayerVersionArn')!;
    assert.equal(
      violation('CreateFunction', { ...create, Layers: ['x', 'y'] }),
      "Value '[x, y]' at 'layers' failed to satisfy constraint: Member must satisfy constraint: " +
        `[Member must have length less than or equal to ${layer.max}, ` +
        'Member must have length greater than or equal to 1, ' +
        `Member must satisfy regular expression pattern: ${layer.pattern}, Member must not be null]`,
    );
    assert.equal(
      violation('CreateFunction', { ...create, Architectures: ['x86'] }),
      "Value '[x86]' at 'architectures' failed to satisfy constraint: Member must satisfy " +
        'constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]',
    );
    assert.match(violation('CreateFunction', { ...create, Layers: [null] }), /^Value '\[null\]'/);
  });

  test('list size', () => {
    assert.equal(
      violation('CreateFunction', { ...create, Architectures: ['x86_64', 'arm64'] }),
      "Value '[x86_64, arm64]' at 'architectures' failed to satisfy constraint: " +
        'Member must have length less than or equal to 1',
    );
  });

  test('structures in lists are numbered from 1', () => {
    const valid = { Arn: undefined, LocalMountPath: '/mnt/a' };
    assert.match(
      violation('CreateEventSourceMapping', {
        FunctionName: 'f',
        FilterCriteria: { Filters: [{}, { Pattern: 'x'.repeat(4097) }] },
      }),
      /at 'filterCriteria\.filters\.2\.member\.pattern' failed .* less than or equal to 4096$/,
    );
    assert.equal(
      violation('CreateFunction', {
        ...create,
        FileSystemConfigs: [valid].map(({ LocalMountPath }) => ({ LocalMountPath })),
      }),
      "Value null at 'fileSystemConfigs.1.member.arn' failed to satisfy constraint: " +
        'Member must not be null',
    );
  });

  test('map keys and values are reported on the map, without its value when it is sensitive', () => {
    // amplify-backend #2290
    assert.equal(
      violation('CreateFunction', { ...create, Environment: { Variables: { '1secret': 'x' } } }),
      "Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy " +
        'constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]',
    );
    const { pattern } = shapes.get('TagValue')!;
    assert.equal(
      violation('CreateFunction', { ...create, Tags: { k: '!' } }),
      "Value '{k=!}' at 'tags' failed to satisfy constraint: Map value must satisfy constraint: " +
        '[Member must have length less than or equal to 256, ' +
        'Member must have length greater than or equal to 0, ' +
        `Member must satisfy regular expression pattern: ${pattern}, Member must not be null]`,
    );
    assert.match(
      violation('CreateFunction', { ...create, Tags: { k: null } }),
      /^Value '\{k=null\}' at 'tags' .*Map value must satisfy/,
    );
  });

  test('doubles have a fraction, as bounds and as values', () => {
    const weights = (...entries: readonly (readonly [string, number])[]): string =>
      violation('CreateAlias', {
        ...{ FunctionName: 'f', Name: 'a', FunctionVersion: '1' },
        RoutingConfig: { AdditionalVersionWeights: Object.fromEntries(entries) },
      });
    // localstack's provider, whose words are compared with the service's
    assert.equal(
      weights(['2', 2]),
      "Value '{2=2.0}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: " +
        'Map value must satisfy constraint: [Member must have value less than or equal to 1.0, ' +
        'Member must have value greater than or equal to 0.0, Member must not be null]',
    );
    assert.match(weights(['2', 1.5], ['3', 0]), /^Value '\{2=1\.5, 3=0\.0\}' at/);
    assert.match(weights(['2', -0.000_25]), /^Value '\{2=-2\.5E-4\}' at/);
    assert.match(weights(['2', 1e7]), /^Value '\{2=1\.0E7\}' at/);
    // What JSON's 1e400 is read as.
    assert.match(weights(['2', Infinity]), /^Value '\{2=Infinity\}' at/);
  });

  test('patterns are quoted as the service has them', () => {
    const words = 'failed to satisfy constraint: Member must satisfy';
    // aws-transit-vpc #32
    assert.equal(
      violation('CreateFunction', { ...create, Code: { S3Bucket: '%%BUCKET%%' } }),
      `Value '%%BUCKET%%' at 'code.s3Bucket' ${words} regular expression pattern: ` +
        '^[0-9A-Za-z\\.\\-_]*(?<!\\.)$',
    );
    // flock #391
    assert.match(
      violation('CreateFunction', {
        ...create,
        FileSystemConfigs: [
          {
            Arn: 'arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-00000000000000000',
            LocalMountPath: '/flock',
          },
        ],
      }),
      /^Value '\/flock' .*\.1\.member\.localMountPath' .* pattern: \^\/mnt\/\[a-zA-Z0-9-_\.\]\+\$$/,
    );
    // lambda-action #72, cfn-lint #3261
    const bounds =
      'Member must have length less than or equal to 1024, ' +
      'Member must have length greater than or equal to 0, ' +
      'Member must satisfy regular expression pattern:';
    const vpc = (VpcConfig: Input): string => violation('CreateFunction', { ...create, VpcConfig });
    assert.equal(
      vpc({ SubnetIds: ['[subnet-1'], SecurityGroupIds: ['sg-1'] }),
      `Value '[[subnet-1]' at 'vpcConfig.subnetIds' ${words} constraint: [${bounds} ^subnet-[0-9a-z]*$]`,
    );
    assert.equal(
      vpc({ SubnetIds: ['subnet-1'], SecurityGroupIds: ['default'] }),
      `Value '[default]' at 'vpcConfig.securityGroupIds' ${words} constraint: [${bounds} ^sg-[0-9a-zA-Z]*$]`,
    );
    // localstack's provider
    assert.match(
      violation('PutFunctionEventInvokeConfig', {
        FunctionName: 'f',
        DestinationConfig: { OnFailure: { Destination: 'x' } },
      }),
      /pattern: \^\$\|kafka/,
    );
  });

  test('what layers are for is refused in words of its own', () => {
    // localstack's provider, whose words are compared with the service's
    const layer = { LayerName: 'l', Content: {} };
    assert.equal(
      violation('PublishLayerVersion', { ...layer, CompatibleArchitectures: ['x86'] }),
      "Value '[x86]' at 'compatibleArchitectures' failed to satisfy constraint: Member must " +
        'satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64]]',
    );
    assert.match(
      violation('PublishLayerVersion', { ...layer, CompatibleRuntimes: ['cobol'] }),
      /^Value '\[cobol\]' at 'compatibleRuntimes' failed to satisfy constraint: Member must satisfy enum value set: \[nodejs, [^[\]]*\]$/,
    );
  });

  test('sensitive values are not shown', () => {
    const { message } = refusal('SendDurableExecutionCallbackSuccess', {
      CallbackId: 'c',
      Result: Buffer.alloc(300_000),
    });
    assert.match(message, /Value at 'result' failed to satisfy constraint: .* equal to 262144$/);
  });

  test('an unknown runtime has an error of its own, after the other constraints', () => {
    const { code, message } = refusal('CreateFunction', { ...create, Runtime: 'cobol' });
    assert.equal(code, 'InvalidParameterValueException');
    assert.match(
      message,
      /^Value cobol at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: \[.*nodejs24\.x.*\] or be a valid ARN$/,
    );
    const both = refusal('UpdateFunctionConfiguration', { FunctionName: ' ', Runtime: 'cobol' });
    assert.equal(both.code, 'ValidationException');
    assert.match(violation('ListLayers', { CompatibleRuntime: 'cobol' }), /^Value 'cobol' at/);
  });
});

describe('bounds of the input validator', () => {
  test('long values are cut in messages', () => {
    const { message } = refusal('Invoke', { FunctionName: 'x'.repeat(1_000_000) });
    assert.ok(message.length < 10_000, String(message.length));
    const layers = refusal('CreateFunction', {
      ...create,
      Layers: Array(100_000).fill('x'.repeat(100)),
    });
    assert.ok(layers.message.length < 10_000);
  });

  test('a value too long to be tried against its pattern is refused', () => {
    // Environment variable names have a pattern and no maximum length.
    const accepted = { Variables: { ['x'.repeat(4_096)]: '' } };
    createInputValidator(operationNamed('CreateFunction'))({ ...create, Environment: accepted });
    const Environment = { Variables: { ['x'.repeat(4_097)]: '' } };
    assert.match(violation('CreateFunction', { ...create, Environment }), /Map keys must satisfy/);
  });

  test('the number of violations reported is bounded', () => {
    const Filters = Array(10_000).fill({ Pattern: 'x'.repeat(5_000) });
    const input = { FunctionName: 'f', FilterCriteria: { Filters } };
    const { message } = refusal('CreateEventSourceMapping', input);
    assert.match(message, /^100 validation errors detected: /);
  });

  test('no pattern of the model is slow on hostile input', () => {
    const seeds = [
      'a',
      '-',
      '.',
      'a.',
      'a-',
      ':',
      'a:',
      'arn:',
      'arn:aws:lambda:',
      '/',
      '$',
      '1',
      'é',
    ];
    const patterned = [...shapes.values()].filter(({ pattern }) => pattern !== undefined);
    assert.ok(patterned.length > 80);
    for (const { name, pattern, max } of patterned) {
      const expression = new RegExp(`^(?:${pattern})$`, 'u');
      const lengthMax = Math.max(max ?? 4_096, 1_024);
      for (const seed of seeds) {
        for (const prefix of ['', 'a', 'arn:aws:lambda:us-east-1:000000000000:function:']) {
          const text = `${prefix}${seed.repeat(lengthMax)}`.slice(0, lengthMax - 1);
          const startMs = performance.now();
          expression.test(`${text}\0`);
          const elapsedMs = performance.now() - startMs;
          assert.ok(elapsedMs < 250, `${name} took ${elapsedMs} ms on ${prefix}${seed}...`);
        }
      }
    }
  });

  test('any JSON is either accepted or refused, quickly', () => {
    const validators = [...operations.values()].map(createInputValidator);
    const names = [
      ...new Set([...shapes.values()].flatMap(({ members }) => members.map((m) => m.name))),
    ];
    const text = fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 2_000 }));
    const input = fc.dictionary(fc.constantFrom(...names), text, { maxKeys: 8 });
    const property = fc.property(fc.constantFrom(...validators), input, (validate, value) => {
      try {
        validate(value);
      } catch (error) {
        // Values of the wrong type do not get past the parser: only text members are tried here.
        if (!isApiError(error) && !(error instanceof TypeError)) throw error;
      }
    });
    fc.assert(property, { numRuns: 500, interruptAfterTimeLimit: 3_000 });
  });
});
