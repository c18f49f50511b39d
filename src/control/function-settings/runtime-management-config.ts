/**
 * PutRuntimeManagementConfig and GetRuntimeManagementConfig: when a version of a function is to get
 * another version of its runtime. This server has one version of each runtime, which its operator
 * chooses: the mode is kept, given back and inherited by versions that are published, and changes
 * nothing else. `RuntimeVersionConfig` and INIT_START go on naming the runtime version that is used.
 */
import { functionNotFound, invalidParameterValue } from '../../model/errors.ts';
import type { RuntimeManagement, StoredConfiguration } from '../../model/function.ts';
import type {
  GetRuntimeManagementConfigRequest,
  GetRuntimeManagementConfigResponse,
  PutRuntimeManagementConfigRequest,
  PutRuntimeManagementConfigResponse,
} from '../../model/generated/api-types.ts';
import type { WriteOperation } from '../../store/store.ts';
import { commitWithRetry, putDocument, type PlannedCommit } from '../commit.ts';
import type { ControlContext } from '../control-context.ts';
import { checkMade } from '../functions/change-latest.ts';
import {
  findVersion,
  LATEST,
  requireFunction,
  requireVersion,
  resolveReference,
  type Reference,
} from '../functions/function-documents.ts';

/** The qualifier is $LATEST, a version's number, or an alias, which stands for its version. */
export async function putRuntimeManagementConfig(
  context: ControlContext,
  input: PutRuntimeManagementConfigRequest,
): Promise<PutRuntimeManagementConfigResponse> {
  const wanted = wantedOf(input);
  const reference = resolveReference(context, input.FunctionName, input.Qualifier);
  const configuration = await commitWithRetry(context.store, () =>
    planWrite(context, reference, wanted),
  );
  logOtherVersion(context, reference, { configuration, wanted });
  return { FunctionArn: reference.arn, ...render(wanted) };
}

/** Auto unless it was set. */
export async function getRuntimeManagementConfig(
  context: ControlContext,
  input: GetRuntimeManagementConfigRequest,
): Promise<GetRuntimeManagementConfigResponse> {
  const reference = resolveReference(context, input.FunctionName, input.Qualifier);
  const { version } = await requireVersion(context, reference);
  checkManaged(version.configuration);
  return {
    FunctionArn: reference.arn,
    ...render(version.runtimeManagement ?? { updateRuntimeOn: 'Auto' }),
  };
}

/** Throws InvalidParameterValue unless there is a runtime version with Manual, and only then. */
function wantedOf(input: PutRuntimeManagementConfigRequest): RuntimeManagement {
  const { UpdateRuntimeOn: updateRuntimeOn, RuntimeVersionArn: runtimeVersionArn } = input;
  if (updateRuntimeOn !== 'Manual') {
    if (runtimeVersionArn === undefined) return { updateRuntimeOn };
    throw invalidParameterValue(
      'RuntimeVersionArn can only be provided when UpdateRuntimeOn is set to Manual.',
    );
  }
  if (runtimeVersionArn === undefined) {
    throw invalidParameterValue(
      'RuntimeVersionArn is required when UpdateRuntimeOn is set to Manual.',
    );
  }
  return { updateRuntimeOn, runtimeVersionArn };
}

/** Results in the configuration of the version that is written. */
async function planWrite(
  context: ControlContext,
  reference: Reference,
  runtimeManagement: RuntimeManagement,
): Promise<PlannedCommit<StoredConfiguration>> {
  const { store } = context;
  const { functionName } = reference;
  const present = await requireFunction(context, reference);
  const { configuration } = (await requireVersion(context, reference)).version;
  checkManaged(configuration);
  // Seen live in August 2026 (cdkd).
  checkMade(configuration);
  const operations: WriteOperation[] = [];
  if (configuration.Version === LATEST) {
    const latest = { ...present.value.latest, runtimeManagement };
    operations.push(putDocument(present, { ...present.value, latest }));
  } else {
    const version = await findVersion(store, functionName, configuration.Version);
    if (version === undefined) throw functionNotFound(reference.arn);
    operations.push(
      // Keeps another change of the function from passing by.
      putDocument(present, present.value),
      putDocument(version, { ...version.value, runtimeManagement }),
    );
  }
  return { operations, result: configuration };
}

/** In our own words; the service, too, refuses these (public reports do not quote it). */
function checkManaged({ PackageType }: StoredConfiguration): void {
  if (PackageType !== 'Image') return;
  throw invalidParameterValue(
    'Runtime management is not supported for functions created with container images.',
  );
}

function render({ updateRuntimeOn, runtimeVersionArn }: RuntimeManagement) {
  return {
    UpdateRuntimeOn: updateRuntimeOn,
    ...(runtimeVersionArn === undefined ? {} : { RuntimeVersionArn: runtimeVersionArn }),
  };
}

function logOtherVersion(
  { log }: ControlContext,
  { arn }: Reference,
  {
    configuration,
    wanted,
  }: { readonly configuration: StoredConfiguration; readonly wanted: RuntimeManagement },
): void {
  const used = configuration.RuntimeVersionConfig?.RuntimeVersionArn;
  const { runtimeVersionArn } = wanted;
  if (runtimeVersionArn === undefined || runtimeVersionArn === used) return;
  log.warn(
    { arn, runtimeVersionArn, used },
    'kept a runtime version that this server does not have',
  );
}
