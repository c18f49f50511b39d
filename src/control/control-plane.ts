/**
 * The control plane: the operations of the service's API that manage things, one room for each kind. It writes
 * what is wanted into the store and never talks to the data plane (ADR 0007).
 */
import type { Blobs } from '../artifact/blobs.ts';
import type { CodeTrees } from '../artifact/code-trees.ts';
import type { Objects } from '../artifact/objects.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { Turns } from '../base/turns.ts';
import { limits } from '../model/limits.ts';
import { defaultQuotas, type Quotas } from '../model/quotas.ts';
import type { Store } from '../store/store.ts';
import type { CodeLocations } from './code/code-location.ts';
import { CodeStorage } from './code/code-storage.ts';
import { CodeSigningUsers } from './code-signing/code-signing-users.ts';
import { codeSigningOperations } from './code-signing/operations.ts';
import { ConcurrencyClaims } from './concurrency/concurrency-claims.ts';
import { bindOperations, type BoundOperations, type OperationTable } from './operation-table.ts';
import { accountOperations } from './account/operations.ts';
import { aliasOperations } from './aliases/operations.ts';
import { concurrencyOperations } from './concurrency/operations.ts';
import { MappingClaims } from './event-source-mappings/mapping-claims.ts';
import { eventSourceMappingOperations } from './event-source-mappings/operations.ts';
import { createMappingSettler } from './event-source-mappings/settle-mappings.ts';
import { eventInvokeOperations } from './event-invoke/operations.ts';
import { functionSettingOperations } from './function-settings/operations.ts';
import { functionUrlOperations } from './function-urls/operations.ts';
import { functionOperations } from './functions/operations.ts';
import { layerOperations } from './layers/operations.ts';
import { policyOperations } from './policies/operations.ts';
import { tagOperations } from './tags/operations.ts';
import type { ControlContext, ControlSettings } from './control-context.ts';
import { followTogether } from './follow-together.ts';
import { FunctionCatalog } from './functions/function-catalog.ts';
import { StateReconciler } from './functions/reconcile-states.ts';
import { SnapshotSettler } from './functions/settle-snapshots.ts';
import { CodeSweeper } from './code/sweep.ts';

/** All operations of the control plane. */
export const controlOperations = {
  ...accountOperations,
  ...aliasOperations,
  ...codeSigningOperations,
  ...concurrencyOperations,
  ...eventSourceMappingOperations,
  ...eventInvokeOperations,
  ...functionOperations,
  ...functionSettingOperations,
  ...functionUrlOperations,
  ...layerOperations,
  ...policyOperations,
  ...tagOperations,
} satisfies OperationTable;

export interface ControlPlane {
  readonly operations: BoundOperations<typeof controlOperations>;
  /** Stops settling and sweeping; resolves once nothing is under way. Does not close the store. */
  close(): Promise<void>;
}

/** Quotas that are left out have their documented values. */
export interface ControlPlaneOptions extends Partial<Quotas> {
  /** 12 digits. */
  readonly accountId: string;
  readonly region: string;
  readonly codeLocations: CodeLocations;
  /** Where code in buckets comes from; default nowhere: it is refused. */
  readonly objects?: Objects;
  /** Default limits.concurrencyAccountDefault. */
  readonly concurrentExecutions?: number;
  /** Default false: runtimes past their dates go on working here. */
  readonly enforceRuntimeDeprecation?: boolean;
  /** From a change to its settling (Pending to Active, Creating to Enabled); default 0: a few milliseconds. */
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
  const { settleDelayMs: delayMs = 0 } = options;
  const reconciler = new StateReconciler(ports, { delayMs });
  const mappingSettler = createMappingSettler(clock, log, store, { delayMs });
  const mappingClaims = new MappingClaims((uuid) => mappingSettler.settleSoon(uuid));
  const catalog = new FunctionCatalog({
    onUnsettled: (functionName) => reconciler.settleSoon(functionName),
    onUnreferenced: (hash) => sweeper.sweepSoon(hash),
  });
  const sweeper = new CodeSweeper(log, blobs, codeTrees, catalog);
  const claims = new ConcurrencyClaims();
  const codeSigningUsers = new CodeSigningUsers();
  const snapshotSettler = new SnapshotSettler(clock, log, store);
  const followers = [catalog, claims, mappingClaims, codeSigningUsers, snapshotSettler];
  const following = await followTogether(store, followers);
  const swept = await sweeper.sweepAll();
  if (swept > 0) log.info({ swept }, 'removed code packages that nothing used');
  const { codeLocations, objects } = options;
  const settings = settingsOf(options);
  const codeStorage = new CodeStorage(() => catalog.usage.codeBytes, settings.codeStorageBytesMax);
  const turns = {
    reservationTurns: new Turns(),
    codeSigningTurns: new Turns(),
    mappingTurns: new Turns(),
  };
  const owned = {
    codeLocations,
    objects,
    catalog,
    codeStorage,
    claims,
    codeSigningUsers,
    mappingClaims,
    sweeper,
  };
  const context: ControlContext = { ...ports, ...owned, ...turns, settings };
  return {
    operations: bindOperations(controlOperations, context),
    async close() {
      await Promise.all([reconciler.close(), mappingSettler.close(), snapshotSettler.close()]);
      following.close();
      await sweeper.idle();
    },
  };
}

function settingsOf(options: ControlPlaneOptions): ControlSettings {
  return {
    accountId: options.accountId,
    region: options.region,
    concurrentExecutions: options.concurrentExecutions ?? limits.concurrencyAccountDefault,
    codeStorageBytesMax: options.codeStorageBytesMax ?? defaultQuotas.codeStorageBytesMax,
    codeZippedBytesMax: options.codeZippedBytesMax ?? defaultQuotas.codeZippedBytesMax,
    codeUnzippedBytesMax: options.codeUnzippedBytesMax ?? defaultQuotas.codeUnzippedBytesMax,
    environmentBytesMax: options.environmentBytesMax ?? defaultQuotas.environmentBytesMax,
    layersPerFunctionMax: options.layersPerFunctionMax ?? defaultQuotas.layersPerFunctionMax,
    enforceRuntimeDeprecation: options.enforceRuntimeDeprecation ?? false,
  };
}
