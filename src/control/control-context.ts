/** What every control plane operation is given: its dependencies and settings, made once. */
import type { Blobs } from '../artifact/blobs.ts';
import type { CodeTrees } from '../artifact/code-trees.ts';
import type { Objects } from '../artifact/objects.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { Turns } from '../base/turns.ts';
import type { Quotas } from '../model/quotas.ts';
import type { Store } from '../store/store.ts';
import type { MappingClaims } from './event-source-mappings/mapping-claims.ts';
import type { ConcurrencyClaims } from './concurrency/concurrency-claims.ts';
import type { CodeSigningUsers } from './code-signing/code-signing-users.ts';
import type { CodeLocations } from './code/code-location.ts';
import type { CodeStorage } from './code/code-storage.ts';
import type { FunctionCatalog } from './functions/function-catalog.ts';
import type { CodeSweeper } from './code/sweep.ts';

export interface ControlSettings extends Quotas {
  /** 12 digits. */
  readonly accountId: string;
  readonly region: string;
  /** Concurrency of the whole account, as GetAccountSettings reports it. */
  readonly concurrentExecutions: number;
  /** Refuse creating and updating functions of runtimes past their dates (model/runtimes.ts). */
  readonly enforceRuntimeDeprecation: boolean;
}

export interface ControlContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly store: Store;
  readonly blobs: Blobs;
  readonly codeTrees: CodeTrees;
  readonly codeLocations: CodeLocations;
  /** Where code in buckets comes from; none without an endpoint. */
  readonly objects: Objects | undefined;
  readonly catalog: FunctionCatalog;
  readonly codeStorage: CodeStorage;
  readonly claims: ConcurrencyClaims;
  readonly mappingClaims: MappingClaims;
  readonly sweeper: CodeSweeper;
  /** For changes that divide up the account's concurrency. */
  readonly reservationTurns: Turns;
  /** For changes that claim a source for a function. */
  readonly mappingTurns: Turns;
  readonly codeSigningUsers: CodeSigningUsers;
  /** For giving functions code signing configurations and deleting these. */
  readonly codeSigningTurns: Turns;
  readonly settings: ControlSettings;
}
