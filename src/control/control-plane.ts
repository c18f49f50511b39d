/**
 * The control plane: one method per operation of the service's API that manages functions and layers.
 * Callers have checked the input against the service model; the rules beyond it are kept here. It writes
 * what is wanted into the store and never talks to the data plane (ADR 0007).
 */
import type { Blobs } from '../artifact/blobs.ts';
import type { CodeTrees } from '../artifact/code-trees.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { Turns } from '../base/turns.ts';
import type { ApiOperationName, ApiOperations } from '../model/generated/api-types.ts';
import { limits } from '../model/limits.ts';
import type { Store } from '../store/store.ts';
import type { CodeLocations } from './code-location.ts';
import { ConcurrencyClaims } from './concurrency-claims.ts';
import type { ControlContext, ControlSettings } from './control-context.ts';
import { createAlias } from './create-alias.ts';
import { createFunction } from './create-function.ts';
import { deleteAlias } from './delete-alias.ts';
import { deleteFunction } from './delete-function.ts';
import { deleteLayerVersion } from './delete-layer-version.ts';
import { deleteProvisionedConcurrencyConfig } from './delete-provisioned-concurrency-config.ts';
import { FunctionCatalog } from './function-catalog.ts';
import {
  deleteFunctionConcurrency,
  getFunctionConcurrency,
  putFunctionConcurrency,
} from './function-concurrency.ts';
import { getAccountSettings } from './get-account-settings.ts';
import { getAlias } from './get-alias.ts';
import { getFunction, getFunctionConfiguration } from './get-function.ts';
import { getLayerVersion, getLayerVersionByArn } from './get-layer-version.ts';
import {
  getProvisionedConcurrencyConfig,
  listProvisionedConcurrencyConfigs,
} from './get-provisioned-concurrency-config.ts';
import {
  addLayerVersionPermission,
  getLayerVersionPolicy,
  removeLayerVersionPermission,
} from './layer-permissions.ts';
import { listAliases } from './list-aliases.ts';
import { listFunctions } from './list-functions.ts';
import { listLayers, listLayerVersions } from './list-layer-versions.ts';
import { listVersionsByFunction } from './list-versions-by-function.ts';
import { publishLayerVersion } from './publish-layer-version.ts';
import { publishVersion } from './publish-version.ts';
import { putProvisionedConcurrencyConfig } from './put-provisioned-concurrency-config.ts';
import { StateReconciler } from './reconcile-states.ts';
import { SnapshotSettler } from './settle-snapshots.ts';
import { CodeSweeper } from './sweep.ts';
import { listTags, tagResource, untagResource } from './tag-resource.ts';
import { updateAlias } from './update-alias.ts';
import { updateFunctionCode } from './update-function-code.ts';
import { updateFunctionConfiguration } from './update-function-configuration.ts';

type Input<Name extends ApiOperationName> = ApiOperations[Name]['input'];
type Output<Name extends ApiOperationName> = Promise<ApiOperations[Name]['output']>;

/** Links to code in an answer begin with where the client reached the server: 'http://HOST:PORT'. */
export interface ClientView {
  readonly baseUrl: string;
}

/** Every method rejects with an ApiError for what the caller can put right. */
export interface ControlPlane {
  addLayerVersionPermission(
    input: Input<'AddLayerVersionPermission'>,
  ): Output<'AddLayerVersionPermission'>;
  createAlias(input: Input<'CreateAlias'>): Output<'CreateAlias'>;
  createFunction(input: Input<'CreateFunction'>): Output<'CreateFunction'>;
  deleteAlias(input: Input<'DeleteAlias'>): Output<'DeleteAlias'>;
  deleteFunction(input: Input<'DeleteFunction'>): Output<'DeleteFunction'>;
  deleteLayerVersion(input: Input<'DeleteLayerVersion'>): Output<'DeleteLayerVersion'>;
  deleteFunctionConcurrency(
    input: Input<'DeleteFunctionConcurrency'>,
  ): Output<'DeleteFunctionConcurrency'>;
  deleteProvisionedConcurrencyConfig(
    input: Input<'DeleteProvisionedConcurrencyConfig'>,
  ): Output<'DeleteProvisionedConcurrencyConfig'>;
  getAccountSettings(input: Input<'GetAccountSettings'>): Output<'GetAccountSettings'>;
  getAlias(input: Input<'GetAlias'>): Output<'GetAlias'>;
  getFunction(input: Input<'GetFunction'>, client: ClientView): Output<'GetFunction'>;
  getFunctionConcurrency(input: Input<'GetFunctionConcurrency'>): Output<'GetFunctionConcurrency'>;
  getFunctionConfiguration(
    input: Input<'GetFunctionConfiguration'>,
  ): Output<'GetFunctionConfiguration'>;
  getLayerVersion(input: Input<'GetLayerVersion'>, client: ClientView): Output<'GetLayerVersion'>;
  getLayerVersionByArn(
    input: Input<'GetLayerVersionByArn'>,
    client: ClientView,
  ): Output<'GetLayerVersionByArn'>;
  getLayerVersionPolicy(input: Input<'GetLayerVersionPolicy'>): Output<'GetLayerVersionPolicy'>;
  getProvisionedConcurrencyConfig(
    input: Input<'GetProvisionedConcurrencyConfig'>,
  ): Output<'GetProvisionedConcurrencyConfig'>;
  listAliases(input: Input<'ListAliases'>): Output<'ListAliases'>;
  listFunctions(input: Input<'ListFunctions'>): Output<'ListFunctions'>;
  listLayers(input: Input<'ListLayers'>): Output<'ListLayers'>;
  listLayerVersions(input: Input<'ListLayerVersions'>): Output<'ListLayerVersions'>;
  listProvisionedConcurrencyConfigs(
    input: Input<'ListProvisionedConcurrencyConfigs'>,
  ): Output<'ListProvisionedConcurrencyConfigs'>;
  listTags(input: Input<'ListTags'>): Output<'ListTags'>;
  listVersionsByFunction(input: Input<'ListVersionsByFunction'>): Output<'ListVersionsByFunction'>;
  publishLayerVersion(
    input: Input<'PublishLayerVersion'>,
    client: ClientView,
  ): Output<'PublishLayerVersion'>;
  publishVersion(input: Input<'PublishVersion'>): Output<'PublishVersion'>;
  removeLayerVersionPermission(
    input: Input<'RemoveLayerVersionPermission'>,
  ): Output<'RemoveLayerVersionPermission'>;
  putFunctionConcurrency(input: Input<'PutFunctionConcurrency'>): Output<'PutFunctionConcurrency'>;
  putProvisionedConcurrencyConfig(
    input: Input<'PutProvisionedConcurrencyConfig'>,
  ): Output<'PutProvisionedConcurrencyConfig'>;
  tagResource(input: Input<'TagResource'>): Output<'TagResource'>;
  untagResource(input: Input<'UntagResource'>): Output<'UntagResource'>;
  updateAlias(input: Input<'UpdateAlias'>): Output<'UpdateAlias'>;
  updateFunctionCode(input: Input<'UpdateFunctionCode'>): Output<'UpdateFunctionCode'>;
  updateFunctionConfiguration(
    input: Input<'UpdateFunctionConfiguration'>,
  ): Output<'UpdateFunctionConfiguration'>;
  /** Stops settling and sweeping; resolves once nothing is under way. Does not close the store. */
  close(): Promise<void>;
}

export interface ControlPlaneOptions {
  /** 12 digits. */
  readonly accountId: string;
  readonly region: string;
  readonly codeLocations: CodeLocations;
  /** Default limits.concurrencyAccountDefault. */
  readonly concurrentExecutions?: number;
  /** Default limits.codeStorageBytesMax. */
  readonly codeStorageBytesMax?: number;
  /** Default false: runtimes past their dates go on working here. */
  readonly enforceRuntimeDeprecation?: boolean;
  /** From a change to its settling (Pending to Active); default 0, which is a few milliseconds. */
  readonly settleDelayMs?: number;
}

/** Starts settling what an earlier process left unsettled, and removes code that nothing uses. */
export async function createControlPlane(
  clock: Clock,
  random: Random,
  log: Log,
  store: Store,
  blobs: Blobs,
  codeTrees: CodeTrees,
  options: ControlPlaneOptions,
): Promise<ControlPlane> {
  const ports = { clock, random, log, store, blobs, codeTrees };
  const reconciler = new StateReconciler(ports, { delayMs: options.settleDelayMs ?? 0 });
  const catalog = new FunctionCatalog({
    onUnsettled: (functionName) => reconciler.settleSoon(functionName),
    onUnreferenced: (hash) => sweeper.sweepSoon(hash),
  });
  const sweeper = new CodeSweeper(log, blobs, codeTrees, catalog);
  const claims = new ConcurrencyClaims();
  const snapshotSettler = new SnapshotSettler(clock, log, store);
  await catalog.open(store);
  await claims.open(store);
  await snapshotSettler.open();
  const swept = await sweeper.sweepAll();
  if (swept > 0) log.info({ swept }, 'removed code packages that nothing used');
  const { codeLocations } = options;
  const settings = settingsOf(options);
  const reservationTurns = new Turns();
  const owned = { codeLocations, catalog, claims, sweeper, reservationTurns };
  const context: ControlContext = { ...ports, ...owned, settings };
  return {
    ...operationsOf(context),
    async close() {
      await Promise.all([reconciler.close(), snapshotSettler.close()]);
      catalog.close();
      claims.close();
      await sweeper.idle();
    },
  };
}

function settingsOf(options: ControlPlaneOptions): ControlSettings {
  return {
    accountId: options.accountId,
    region: options.region,
    concurrentExecutions: options.concurrentExecutions ?? limits.concurrencyAccountDefault,
    codeStorageBytesMax: options.codeStorageBytesMax ?? limits.codeStorageBytesMax,
    enforceRuntimeDeprecation: options.enforceRuntimeDeprecation ?? false,
  };
}

function operationsOf(context: ControlContext): Omit<ControlPlane, 'close'> {
  return {
    addLayerVersionPermission: (input) => addLayerVersionPermission(context, input),
    createAlias: (input) => createAlias(context, input),
    createFunction: (input) => createFunction(context, input),
    deleteAlias: (input) => deleteAlias(context, input),
    deleteFunction: (input) => deleteFunction(context, input),
    deleteLayerVersion: (input) => deleteLayerVersion(context, input),
    deleteProvisionedConcurrencyConfig: (input) =>
      deleteProvisionedConcurrencyConfig(context, input),
    getAccountSettings: () => getAccountSettings(context),
    getAlias: (input) => getAlias(context, input),
    getFunction: (input, client) => getFunction(context, input, client),
    deleteFunctionConcurrency: (input) => deleteFunctionConcurrency(context, input),
    getFunctionConcurrency: (input) => getFunctionConcurrency(context, input),
    getFunctionConfiguration: (input) => getFunctionConfiguration(context, input),
    getLayerVersion: (input, client) => getLayerVersion(context, input, client),
    getLayerVersionByArn: (input, client) => getLayerVersionByArn(context, input, client),
    getLayerVersionPolicy: (input) => getLayerVersionPolicy(context, input),
    getProvisionedConcurrencyConfig: (input) => getProvisionedConcurrencyConfig(context, input),
    listAliases: (input) => listAliases(context, input),
    listFunctions: (input) => listFunctions(context, input),
    listLayers: (input) => listLayers(context, input),
    listLayerVersions: (input) => listLayerVersions(context, input),
    listProvisionedConcurrencyConfigs: (input) => listProvisionedConcurrencyConfigs(context, input),
    listTags: (input) => listTags(context, input),
    listVersionsByFunction: (input) => listVersionsByFunction(context, input),
    publishLayerVersion: (input, client) => publishLayerVersion(context, input, client),
    publishVersion: (input) => publishVersion(context, input),
    removeLayerVersionPermission: (input) => removeLayerVersionPermission(context, input),
    putFunctionConcurrency: (input) => putFunctionConcurrency(context, input),
    putProvisionedConcurrencyConfig: (input) => putProvisionedConcurrencyConfig(context, input),
    tagResource: (input) => tagResource(context, input),
    untagResource: (input) => untagResource(context, input),
    updateAlias: (input) => updateAlias(context, input),
    updateFunctionCode: (input) => updateFunctionCode(context, input),
    updateFunctionConfiguration: (input) => updateFunctionConfiguration(context, input),
  };
}
