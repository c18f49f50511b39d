/**
 * Where the service words a violation differently from what the service model would have it say. Each
 * entry has its origin.
 */
import type { Shape } from '../model/service-model.ts';

/** Patterns as refusals quote them, by shape: the model leaves out the anchors around them. */
const quotedPatterns: Readonly<Record<string, string>> = {
  // localstack's provider, whose words are compared with the service's
  DestinationArn: '^PATTERN',
  // flock #391
  LocalMountPath: '^PATTERN$',
  // aws-transit-vpc #32, aws-lambda-security-controls #1
  S3Bucket: '^PATTERN$',
  // cfn-lint #3261
  SecurityGroupId: '^PATTERN$',
  // serverless #8517, lambda-action #72
  SubnetId: '^PATTERN$',
};

export function quotedPattern({ name }: Shape, pattern: string): string {
  const quoted = Object.hasOwn(quotedPatterns, name) ? quotedPatterns[name] : undefined;
  return quoted === undefined ? pattern : quoted.replace('PATTERN', () => pattern);
}

/**
 * Collections of whose elements, or keys, no refusal says that they must not be null (serverless-secrets
 * #39 and amplify-backend #2290, cfn-lint #3261, lambda-action #72, localstack's provider); others do
 * (lambda-action #83).
 */
const silentOnNull: ReadonlySet<string> = new Set([
  'CompatibleArchitectures',
  'EnvironmentVariables',
  'SecurityGroupIds',
  'SubnetIds',
]);

/** Lists whose elements' only constraint is not told as one of elements (localstack's provider). */
const toldAsOwn: ReadonlySet<string> = new Set(['CompatibleRuntimes']);

export const notNull = 'Member must not be null';

/** What a refusal says of a list with an element that breaks one of these. */
export function elementConstraint({ name }: Shape, texts: readonly string[]): string {
  if (toldAsOwn.has(name)) return texts.join(', ');
  return `Member must satisfy constraint: ${listed(texts, !silentOnNull.has(name))}`;
}

/** The same of a map's keys. */
export function keyConstraint({ name }: Shape, texts: readonly string[]): string {
  return `Map keys must satisfy constraint: ${listed(texts, !silentOnNull.has(name))}`;
}

/** The same of a map's values. */
export function entryConstraint(texts: readonly string[]): string {
  return `Map value must satisfy constraint: ${listed(texts, true)}`;
}

function listed(texts: readonly string[], tellsOfNull: boolean): string {
  return `[${(tellsOfNull ? [...texts, notNull] : texts).join(', ')}]`;
}

/** Numbers of a shape as the service prints them: doubles always with a fraction, `1.0` (localstack's provider). */
export function printedNumber({ type }: Shape, value: number): string {
  if (type !== 'double' || !Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (value === 0 || (size >= 1e-3 && size < 1e7)) return withFraction(String(value));
  const [digits = '', exponent] = value.toExponential().split('e');
  return `${withFraction(digits)}E${Number(exponent)}`;
}

function withFraction(digits: string): string {
  return digits.includes('.') ? digits : `${digits}.0`;
}
