/**
 * Code signing configurations as they are stored, and their ARNs. A function names its configuration in
 * its own document (FunctionRecord.codeSigningConfigId): that is the only trace of an attachment.
 *
 * Documents (partition is the configuration's id):
 *   collection 'code-signing-config'  id ''  CodeSigningConfigRecord
 */
import type { Identity } from './arn.ts';
import type { CodeSigningPolicy } from './generated/api-types.ts';
import type { Tags } from './tags.ts';

export const codeSigningCollections = {
  config: 'code-signing-config',
} as const;

export interface CodeSigningConfigRecord {
  /** 'csc-' and 17 hexadecimal digits. */
  readonly configId: string;
  /** Null when none was ever given. */
  readonly description: string | null;
  /** Of AWS Signer's signing profiles, as the request gave them: 1 to 20. */
  readonly signingProfileVersionArns: readonly string[];
  /** What becomes of packages that are not signed by one of the profiles. */
  readonly untrustedArtifactOnDeployment: CodeSigningPolicy;
  /** In the form of `timestamp`. */
  readonly lastModified: string;
  readonly tags: Tags;
}

const idPattern = /:code-signing-config:(csc-[a-z0-9]{17})$/u;

/** `arn:aws:lambda:REGION:ACCOUNT:code-signing-config:csc-0123456789abcdef0`. */
export function codeSigningConfigArn(identity: Identity, configId: string): string {
  const { partition = 'aws', region, accountId } = identity;
  return `arn:${partition}:lambda:${region}:${accountId}:code-signing-config:${configId}`;
}

/** The id in an ARN; undefined unless it is one of `identity`'s own. */
export function parseCodeSigningConfigArn(arn: string, identity: Identity): string | undefined {
  const configId = idPattern.exec(arn)?.[1];
  if (configId === undefined) return undefined;
  return codeSigningConfigArn(identity, configId) === arn ? configId : undefined;
}
