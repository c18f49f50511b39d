/** Reading code signing configurations, and how answers show them. */
import {
  codeSigningCollections,
  codeSigningConfigArn,
  parseCodeSigningConfigArn,
  type CodeSigningConfigRecord,
} from '../../model/code-signing.ts';
import {
  codeSigningConfigMissing,
  codeSigningConfigNotFound,
} from '../../model/code-signing-errors.ts';
import type { CodeSigningConfig } from '../../model/generated/api-types.ts';
import type { DocumentKey, Store, StoredDocument } from '../../store/store.ts';
import type { ControlContext, ControlSettings } from '../control-context.ts';

type ConfigDocument = StoredDocument<CodeSigningConfigRecord>;

export function codeSigningConfigKey(configId: string): DocumentKey {
  return { collection: codeSigningCollections.config, partition: configId, id: '' };
}

export async function readCodeSigningConfig(
  store: Store,
  configId: string,
): Promise<ConfigDocument | undefined> {
  return store.get<CodeSigningConfigRecord>(codeSigningConfigKey(configId));
}

/** The configuration that a request is about; throws ResourceNotFound. */
export async function requireCodeSigningConfig(
  context: ControlContext,
  arn: string,
): Promise<ConfigDocument> {
  const found = await findByArn(context, arn);
  if (found === undefined) throw codeSigningConfigNotFound(arn);
  return found;
}

/** The configuration that a function is to have; throws CodeSigningConfigNotFound. */
export async function requireAttachable(
  context: ControlContext,
  arn: string,
): Promise<CodeSigningConfigRecord> {
  const found = await findByArn(context, arn);
  if (found === undefined) throw codeSigningConfigMissing(arn);
  return found.value;
}

async function findByArn(
  { store, settings }: ControlContext,
  arn: string,
): Promise<ConfigDocument | undefined> {
  const configId = parseCodeSigningConfigArn(arn, settings);
  return configId === undefined ? undefined : readCodeSigningConfig(store, configId);
}

export function renderCodeSigningConfig(
  record: CodeSigningConfigRecord,
  settings: ControlSettings,
): CodeSigningConfig {
  const { configId, description, untrustedArtifactOnDeployment, lastModified } = record;
  return {
    CodeSigningConfigId: configId,
    CodeSigningConfigArn: codeSigningConfigArn(settings, configId),
    ...(description === null ? {} : { Description: description }),
    AllowedPublishers: { SigningProfileVersionArns: [...record.signingProfileVersionArns] },
    CodeSigningPolicies: { UntrustedArtifactOnDeployment: untrustedArtifactOnDeployment },
    LastModified: lastModified,
  };
}
