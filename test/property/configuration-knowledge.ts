/** Settings of a function that go together, and how the configuration shows them. */
import { hasSnapStart } from '../../src/model/runtimes.ts';
import type { Runtime } from '../../src/model/generated/api-types.ts';
import { accountId, region } from '../conformance/server.ts';
import { absent } from './contains.ts';
import { functionArn, functionName, layerVersionArn } from './fixture.ts';
import type { Body, Draw } from './journey.ts';
import type { WireInput } from './wire-request.ts';

/** All forms in which a request may name a function. */
export function functionForms(name = functionName): readonly string[] {
  const arn = functionArn.replace(/[^:]+$/u, name);
  return [name, `function:${name}`, `${accountId}:function:${name}`, arn];
}

/** The function of the fixture. */
export const named = { FunctionName: functionName };

/** The same in any form. */
export function anyName({ random }: Draw): Body {
  return { FunctionName: random.pick(functionForms()) };
}

/** Members that CreateFunction and UpdateFunctionConfiguration share, as far as the model does not know them. */
export function settingsOf(draw: Draw, runtime: string): WireInput {
  const { random } = draw;
  const hasFiles = random.chance(0.2);
  const hasSnapshots = hasSnapStart(runtime as Runtime) && !hasFiles && random.chance(0.3);
  return {
    Runtime: runtime,
    Layers: draw.maybe(random.pick([[], [layerVersionArn]])),
    VpcConfig: {
      ...(hasFiles || random.chance(0.3) ? vpc : { SubnetIds: [], SecurityGroupIds: [] }),
      ...(random.chance(0.5) ? { Ipv6AllowedForDualStack: random.chance(0.5) } : {}),
    },
    FileSystemConfigs: hasFiles ? [fileSystem(draw)] : [],
    SnapStart: { ApplyOn: hasSnapshots ? 'PublishedVersions' : 'None' },
    EphemeralStorage: { Size: hasSnapshots ? 512 : random.integer(512, 10_240) },
    LoggingConfig: logging(draw),
    Environment: draw.maybe({ Variables: variables(draw) }),
    DeadLetterConfig: draw.maybe(
      random.pick([{}, { TargetArn: '' }, { TargetArn: queueArn }, { TargetArn: topicArn }]),
    ),
    KMSKeyArn: draw.maybe(random.pick(['', keyArn])),
    ImageConfig: undefined,
    CapacityProviderConfig: undefined,
    DurableConfig: undefined,
    TenancyConfig: undefined,
    PublishTo: undefined,
    RevisionId: undefined,
  };
}

const queueArn = `arn:aws:sqs:${region}:${accountId}:letters`;
const topicArn = `arn:aws:sns:${region}:${accountId}:letters`;
export const keyArn = `arn:aws:kms:${region}:${accountId}:key/0a1b2c3d-0000-4000-8000-000000000000`;
const vpc = { SubnetIds: ['subnet-0123456789abcdef0'], SecurityGroupIds: ['sg-0123456789abcdef0'] };

function fileSystem({ random }: Draw): Body {
  const LocalMountPath = '/mnt/files';
  const point = 'fsap-0123456789abcdef0';
  if (random.chance(0.5)) {
    const Arn = `arn:aws:elasticfilesystem:${region}:${accountId}:access-point/${point}`;
    return { Arn, LocalMountPath };
  }
  const files = `arn:aws:s3files:${region}:${accountId}:file-system/fs-0123456789abcdef0`;
  const S3FilesConfig = { DirectS3Read: random.pick(['ENABLED', 'DISABLED', 'AUTO']) };
  return { Arn: `${files}/access-point/${point}`, LocalMountPath, S3FilesConfig };
}

/** What an image is started with; none of it is what the image says itself. */
export function imageConfig(draw: Draw): Body {
  return draw.some([
    { EntryPoint: ['/run', '-v'] },
    { Command: ['index.handler'] },
    { WorkingDirectory: '/work' },
  ]);
}

/** Levels only for JSON. */
function logging({ random }: Draw): Body {
  const LogGroup = `/group/${random.hex(4)}`;
  if (random.chance(0.5)) return { LogFormat: 'Text', LogGroup };
  return {
    LogFormat: 'JSON',
    LogGroup,
    ApplicationLogLevel: random.pick(['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL']),
    SystemLogLevel: random.pick(['DEBUG', 'INFO', 'WARN']),
  };
}

/** No reserved names, and together within 4 KB. */
function variables({ random }: Draw): Body {
  const values = [
    '',
    'x',
    'ü€😀',
    ' spaces ',
    '"quotes"',
    'line\nbreak',
    '\\',
    '{"a":1}',
    '\u0001',
  ];
  const count = random.integer(0, 6);
  const entries = Array.from({ length: count }, (_, index) => [
    `NAME_${index}${random.hex(2)}`,
    random.pick([...values, 'v'.repeat(random.integer(0, 500))]),
  ]);
  return Object.fromEntries(entries) as Body;
}

/** No more than a resource may have, and no keys of the service's own. */
export function tags({ random }: Draw, most = 10): Readonly<Record<string, string>> {
  const words = [
    'a',
    'ü',
    'key with spaces',
    '日本',
    'a/b:c=d+e-f@g.h_i',
    '__proto__',
    'constructor',
  ];
  const entries = Array.from({ length: random.integer(1, most) }, (_, index) => [
    `${random.pick(words)}${random.chance(0.5) ? index : ''}`,
    random.pick([...words, '', '9'.repeat(256)]),
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}

/** What the configuration shows of the settings that were sent; what was left out may be anything. */
export function configurationWith(input: WireInput): Body {
  const same = ['Description', 'Handler', 'MemorySize', 'Role', 'Runtime', 'Timeout'];
  const shown: Record<string, unknown> = {};
  const whole = [
    'Architectures',
    'EphemeralStorage',
    'LoggingConfig',
    'SnapStart',
    'TenancyConfig',
  ];
  for (const name of [...same, ...whole]) {
    if (input[name] !== undefined) shown[name] = input[name];
  }
  const { ImageConfig } = input;
  if (ImageConfig !== undefined) {
    const isEmpty = Object.keys(ImageConfig as Body).length === 0;
    shown['ImageConfigResponse'] = isEmpty ? absent : { ImageConfig };
  }
  const { VpcConfig, Environment, DeadLetterConfig, FileSystemConfigs, Layers } = input;
  const { Mode } = (input['TracingConfig'] ?? {}) as Body;
  if (Mode !== undefined) shown['TracingConfig'] = { Mode };
  if (VpcConfig !== undefined) shown['VpcConfig'] = VpcConfig;
  if (FileSystemConfigs !== undefined) {
    shown['FileSystemConfigs'] =
      (FileSystemConfigs as unknown[]).length > 0 ? FileSystemConfigs : absent;
  }
  if (Environment !== undefined) {
    const { Variables } = Environment as { Variables: object };
    shown['Environment'] = Object.keys(Variables).length > 0 ? { Variables } : absent;
  }
  const { TargetArn } = (DeadLetterConfig ?? {}) as { TargetArn?: string };
  if (TargetArn !== undefined) {
    shown['DeadLetterConfig'] = TargetArn === '' ? absent : { TargetArn };
  }
  const key = shownKey(input, shown['Environment']);
  if (key !== undefined) shown['KMSKeyArn'] = key;
  if (Layers !== undefined) {
    const arns = Layers as string[];
    shown['Layers'] = arns.length > 0 ? arns.map((Arn) => ({ Arn })) : absent;
  }
  return shown;
}

/** A key is kept with something to encrypt only; undefined where that depends on what was there. */
function shownKey(input: WireInput, environment: unknown): unknown {
  const { KMSKeyArn, SnapStart, PackageType, ImageConfig } = input;
  if (KMSKeyArn === undefined) return undefined;
  if (KMSKeyArn === '') return absent;
  // Images are encrypted themselves; only their functions have an ImageConfig.
  if (PackageType === 'Image' || ImageConfig !== undefined) return KMSKeyArn;
  const { ApplyOn } = (SnapStart ?? {}) as Body;
  if (ApplyOn === 'PublishedVersions') return KMSKeyArn;
  if (environment === undefined) return undefined;
  return environment === absent ? absent : KMSKeyArn;
}
