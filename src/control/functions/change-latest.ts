/**
 * Changes $LATEST for the operations that update it: refuses while it is being made or updated,
 * checks the RevisionId, and leaves the function InProgress for the reconciler to settle.
 */
import { resourceInState, revisionMismatch, updateInProgress } from '../../model/errors.ts';
import {
  sourceKeyOf,
  type FunctionRecord,
  type StoredConfiguration,
  type VersionRecord,
} from '../../model/function.ts';
import type { FunctionConfiguration } from '../../model/generated/api-types.ts';
import type { StoredDocument } from '../../store/store.ts';
import type { ControlContext } from '../control-context.ts';
import { timestamp, updating } from './function-configuration.ts';
import { commitWithRetry, putDocument } from '../commit.ts';
import { checkRuntimePinned } from '../function-settings/runtime-rules.ts';
import { requireFunction, type Reference } from './function-documents.ts';
import { omitMembers } from '../omit-members.ts';
import { planVersion } from './plan-version.ts';
import { renderConfiguration, withoutUpdateStatus } from './render-configuration.ts';

export type ChangedVersion = Pick<VersionRecord, 'configuration' | 'code' | 'sourceKmsKeyArn'> &
  Required<Pick<VersionRecord, 'layers'>>;

export interface LatestChange {
  readonly reference: Reference;
  readonly revisionId: string | undefined;
  readonly publish: boolean;
  /** Code and settings as they are to be; states and revisions are filled in here. */
  change(latest: VersionRecord): ChangedVersion;
  /** Refuses the change for what is known of the function as a whole; nothing refuses it if left out. */
  readonly check?: (record: FunctionRecord) => Promise<unknown>;
}

/** The new configuration of $LATEST, or of the version published from it. */
export async function changeLatest(
  context: ControlContext,
  { reference, revisionId, publish, change, check }: LatestChange,
): Promise<FunctionConfiguration> {
  return commitWithRetry(context.store, async () => {
    const present = await requireFunction(context, reference);
    checkChangeable(present.value, revisionId);
    await check?.(present.value);
    const latest = changedVersion(context, present.value.latest, change);
    const write = putDocument(present, { ...present.value, latest });
    if (!publish) {
      const result = renderConfiguration(latest.configuration, context.settings);
      return { operations: [write], result };
    }
    const { operations, version } = await planVersion(context, latest, { hasRoom: true });
    const { configuration } = version;
    const result = renderConfiguration(configuration, context.settings, configuration.Version);
    return { operations: [write, ...operations], result: withoutUpdateStatus(result) };
  });
}

/** Throws PreconditionFailed for another revision, ResourceConflict while something is under way. */
export function checkChangeable(record: FunctionRecord, revisionId: string | undefined): void {
  const { configuration } = record.latest;
  if (revisionId !== undefined && revisionId !== configuration.RevisionId) throw revisionMismatch();
  checkSettled(configuration);
}

/** Throws ResourceConflict while the function is being made or updated. */
function checkSettled(configuration: StoredConfiguration): void {
  checkMade(configuration);
  checkNotUpdating(configuration);
}

/** Throws ResourceConflict while the function is being made. */
export function checkMade({ FunctionArn, State, StateReasonCode }: StoredConfiguration): void {
  if (State === 'Pending') throw resourceInState(FunctionArn, State, StateReasonCode ?? '');
}

/** Throws ResourceConflict while the function is being updated; one that is being made passes. */
export function checkNotUpdating(configuration: StoredConfiguration): void {
  const { State, LastUpdateStatus, FunctionArn } = configuration;
  if (State !== 'Pending' && LastUpdateStatus === 'InProgress') throw updateInProgress(FunctionArn);
}

/** What `document` would be after the change, without writing it. */
export function previewChange(
  context: ControlContext,
  document: StoredDocument<FunctionRecord>,
  { change, revisionId }: Pick<LatestChange, 'change' | 'revisionId'>,
): FunctionConfiguration {
  checkChangeable(document.value, revisionId);
  const { configuration } = planChange(document.value.latest, change);
  return renderConfiguration(configuration, context.settings);
}

/** What `change` makes of $LATEST, with the rules that hold for every change of it. */
function planChange(latest: VersionRecord, change: LatestChange['change']): ChangedVersion {
  const changed = change(latest);
  checkRuntimePinned(latest, changed.configuration);
  return changed;
}

function changedVersion(
  { clock, random }: ControlContext,
  latest: VersionRecord,
  change: LatestChange['change'],
): VersionRecord {
  const { configuration, code, layers, sourceKmsKeyArn } = planChange(latest, change);
  return {
    ...omitMembers(latest, ['sourceKmsKeyArn']),
    configuration: {
      ...omitMembers(configuration, ['StateReason', 'StateReasonCode']),
      // A function that could not be made is usable again once an update brings what was missing.
      State: 'Active',
      ...updating(),
      RevisionId: random.uuid(),
      LastModified: timestamp(clock.nowMs()),
    },
    code,
    layers,
    ...sourceKeyOf(sourceKmsKeyArn),
    buildId: random.uuid(),
  };
}
