/** Which versions and aliases can have provisioned concurrency (guide pages 008, 012, 019). */
import { putDocument } from '../commit.ts';
import type { ProvisionedRecord } from '../../model/alias.ts';
import {
  invalidParameterValue,
  unpublishedNotProvisionable,
  versionAlreadyProvisioned,
  versionProvisionedByAlias,
} from '../../model/errors.ts';
import type { StoredDocument, WriteOperation } from '../../store/store.ts';
import { aliasesOf, readAlias, versionsOf } from '../aliases/alias-documents.ts';
import type { AliasTarget } from '../aliases/alias-routing.ts';
import { isPublished, requireQualifier, type PublishedReference } from '../functions/qualifiers.ts';
import type { ControlContext } from '../control-context.ts';
import {
  LATEST,
  readVersion,
  requireFunction,
  resolveReference,
} from '../functions/function-documents.ts';
import { readProvisioned } from './provisioned-documents.ts';

/**
 * What the operations on a present configuration name. Throws InvalidParameterValue for $LATEST,
 * ResourceNotFound for no such function, version or alias.
 */
export async function requireProvisionedReference(
  context: ControlContext,
  input: { readonly FunctionName: string; readonly Qualifier: string },
): Promise<PublishedReference> {
  const reference = resolveReference(context, input.FunctionName, input.Qualifier);
  if (!isPublished(reference)) {
    throw invalidParameterValue(
      'The function resource provided must be an alias or a published version.',
    );
  }
  await requireFunction(context, reference);
  await requireQualifier(context, reference);
  return reference;
}

/**
 * Throws InvalidParameterValue or ResourceConflict if the version or alias, which is there, cannot
 * have provisioned concurrency.
 */
export async function checkProvisionable(
  context: ControlContext,
  { functionName, qualifier }: PublishedReference,
): Promise<void> {
  const alias = await readAlias(context.store, functionName, qualifier);
  if (alias === undefined) {
    await checkVersion(context, functionName, qualifier);
    await checkNoAliasProvisions(context, functionName, qualifier);
    return;
  }
  const { RoutingConfig, FunctionVersion } = alias.value.configuration;
  if (RoutingConfig !== undefined) {
    // hashicorp/terraform #24957
    throw invalidParameterValue('Alias with weights can not be used with Provisioned Concurrency');
  }
  await checkAliased(context, functionName, FunctionVersion);
}

/** What UpdateAlias changes of the alias: its provisioned concurrency moves to the new version. */
interface AliasMove {
  readonly previous: AliasTarget & { readonly Name: string };
  readonly target: AliasTarget;
}

/**
 * Writes for the provisioned concurrency of an alias that gets another target; none if it has no
 * such configuration or stays where it is.
 *
 * Throws InvalidParameterValue or ResourceConflict if the target cannot have it.
 */
export async function planProvisionedMove(
  context: ControlContext,
  functionName: string,
  { previous, target }: AliasMove,
): Promise<WriteOperation[]> {
  const provisioned = await readProvisioned(context.store, functionName, previous.Name);
  if (provisioned === undefined) return [];
  if (target.RoutingConfig !== undefined) {
    throw invalidParameterValue('Invalid alias configuration for Provisioned Concurrency');
  }
  if (target.FunctionVersion === previous.FunctionVersion) return [];
  await checkAliased(context, functionName, target.FunctionVersion);
  return [newGeneration(context, provisioned)];
}

function newGeneration(
  { random }: ControlContext,
  provisioned: StoredDocument<ProvisionedRecord>,
): WriteOperation {
  return putDocument(provisioned, { ...provisioned.value, generation: random.uuid() });
}

/** For the version that an alias with provisioned concurrency points to. */
async function checkAliased(
  context: ControlContext,
  functionName: string,
  version: string,
): Promise<void> {
  if (version === LATEST) throw unpublishedNotProvisionable();
  await checkVersion(context, functionName, version);
  if ((await readProvisioned(context.store, functionName, version)) !== undefined) {
    throw versionAlreadyProvisioned();
  }
}

async function checkVersion(
  { store }: ControlContext,
  functionName: string,
  version: string,
): Promise<void> {
  const found = await readVersion(store, functionName, version);
  if (found?.configuration.SnapStart?.ApplyOn === 'PublishedVersions') {
    throw invalidParameterValue(
      'Provisioned Concurrency is not supported for function versions with SnapStart.',
    );
  }
}

async function checkNoAliasProvisions(
  { store }: ControlContext,
  functionName: string,
  version: string,
): Promise<void> {
  for await (const alias of aliasesOf(store, functionName)) {
    if (!versionsOf(alias).includes(version)) continue;
    if ((await readProvisioned(store, functionName, alias.Name)) !== undefined) {
      throw versionProvisionedByAlias();
    }
  }
}
