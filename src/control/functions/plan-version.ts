/**
 * Plans the writes that publish $LATEST as a new version. Numbers come from a counter that outlives
 * the function, so none is ever used again (guide page 002).
 */
import { writeDocument } from '../commit.ts';
import { functionArn } from '../../model/arn.ts';
import {
  layersOf,
  sourceKeyOf,
  storedBytesOf,
  type PublishedVersionRecord,
  type StoredConfiguration,
  type VersionCounter,
  type VersionRecord,
} from '../../model/function.ts';
import type { WriteOperation } from '../../store/store.ts';
import type { ControlContext } from '../control-context.ts';
import { isUnsettled } from './function-catalog.ts';
import { pending } from './function-configuration.ts';
import {
  readVersion,
  readVersionCounter,
  versionCounterKey,
  versionKey,
} from './function-documents.ts';

export interface PlannedVersion {
  /** Empty when there was no update since the last version: it is the answer then. */
  readonly operations: readonly WriteOperation[];
  readonly version: PublishedVersionRecord;
}

export interface PlanVersionOptions {
  readonly description?: string | undefined;
  /** Room for one more copy of the code was taken already (code-storage.ts). */
  readonly hasRoom?: boolean;
}

/**
 * Must be committed together with a write of the function's document. An update counts even when it
 * brings what is there already (moto #8379, radkawar/stackd docs/lambda.md).
 */
export async function planVersion(
  context: ControlContext,
  latest: VersionRecord,
  { description, hasRoom = false }: PlanVersionOptions,
): Promise<PlannedVersion> {
  const { store } = context;
  const { FunctionName: functionName } = latest.configuration;
  const counter = await readVersionCounter(store, functionName);
  const lastVersion = counter?.value.lastVersion ?? 0;
  const last =
    lastVersion === 0 ? undefined : await readVersion(store, functionName, String(lastVersion));
  if (last?.publishedFrom === latest.buildId) return { operations: [], version: last };
  if (!hasRoom) context.codeStorage.check(storedBytesOf(latest.code));
  const number = String(lastVersion + 1);
  const version = versionOf(context, latest, { number, description });
  const nextCounter: VersionCounter = { lastVersion: lastVersion + 1 };
  return {
    version,
    operations: [
      writeDocument(versionKey(functionName, number), undefined, version),
      writeDocument(versionCounterKey(functionName), counter, nextCounter),
    ],
  };
}

function asksForSnapshot({ SnapStart }: StoredConfiguration): boolean {
  return SnapStart?.ApplyOn === 'PublishedVersions';
}

function versionOf(
  { random, settings }: ControlContext,
  latest: VersionRecord,
  options: {
    readonly number: string;
    readonly description: string | undefined;
  },
): PublishedVersionRecord {
  const { number, description } = options;
  const { configuration, runtimeManagement } = latest;
  return {
    ...(runtimeManagement === undefined ? {} : { runtimeManagement }),
    configuration: {
      ...configuration,
      // Published together with its code: the version is made while $LATEST is updated.
      // With SnapStart it waits for its snapshot, too (settle-snapshots.ts).
      ...(isUnsettled(configuration) || asksForSnapshot(configuration) ? pending : {}),
      ...(description === undefined ? {} : { Description: description }),
      Version: number,
      FunctionArn: functionArn(settings, configuration.FunctionName, number),
      RevisionId: random.uuid(),
    },
    code: latest.code,
    layers: layersOf(latest),
    ...sourceKeyOf(latest.sourceKmsKeyArn),
    buildId: random.uuid(),
    publishedFrom: latest.buildId,
  };
}
