/**
 * Composition root: config -> wire -> listen -> drain. The only file that sees every module; read it
 * from top to bottom to see how data flows.
 */
import { join } from 'node:path';
import { createApiServer, type ApiServer } from './api/server.ts';
import { createOperationHandlers } from './api/operations/operations.ts';
import type { Blobs } from './artifact/blobs.ts';
import { openCodeTrees, type CodeTrees } from './artifact/code-trees.ts';
import { openFileBlobs } from './artifact/file-blobs.ts';
import { openS3Objects, type S3Objects } from './artifact/s3-objects.ts';
import { hasSharedLibraries } from './artifact/shared-libraries.ts';
import { systemClock, type Clock } from './base/clock.ts';
import { lockFolder, lockFolderPatiently, type FolderLock } from './base/folder-lock.ts';
import { createLog, type Log } from './base/log.ts';
import { systemRandom } from './base/random.ts';
import { ConfigError, findRuntimeSearch, type Config } from './config.ts';
import { createCodeDownloadRoute, createCodeLocations } from './control/code/code-location.ts';
import { createControlPlane } from './control/control-plane.ts';
import { Concurrency } from './invoke/concurrency.ts';
import { FunctionDirectory } from './invoke/function-directory.ts';
import { Invoker } from './invoke/invoke.ts';
import { SnapshotPreparer } from './invoke/snapshot-preparer.ts';
import { ProvisionReporter } from './invoke/provision-reporter.ts';
import { ProvisionedConcurrency } from './invoke/provisioned-concurrency.ts';
import { createRuntimeTransports } from './runtime-api/transports.ts';
import { selectDriver } from './sandbox/select-driver.ts';
import { sweepLeftovers } from './sandbox/sweep-leftovers.ts';
import type { SandboxDriver, SandboxDriverName, SweepReport } from './sandbox/sandbox.ts';
import { startWatchdog, type Watchdog } from './sandbox/watchdog/watchdog.ts';
import { openSqliteStore } from './store/sqlite/sqlite-store.ts';
import { discardLogs, type LogSink } from './telemetry/log-stream.ts';
import { Metrics } from './telemetry/metrics.ts';
import type { OpenCode } from './worker/open-version.ts';
import { createRuntimeCatalog, type RuntimeListing } from './worker/runtimes.ts';
import { Worker } from './worker/worker.ts';

export type { LogSink, SweepReport };

export interface Hearth {
  readonly url: string;
  readonly driverName: SandboxDriverName;
  /** What the driver cannot do on this host, one line each. */
  readonly notices: readonly string[];
  /** What earlier processes had left on the host, now removed. */
  readonly swept: SweepReport;
  /** Drains: requests in flight finish, then everything that was started is stopped. */
  stop(): Promise<void>;
}

export interface HearthOptions {
  /** Something that the server cannot go on without has failed: drain and end. */
  readonly onFailure: (error: Error) => void;
  /** Where functions' logs go besides LogType=Tail. */
  readonly logSink: LogSink | undefined;
  /** Command line that sweeps this data folder; run by the watchdog if this process dies. */
  readonly sweepCommand: readonly [string, ...string[]];
}

/** The function's own calls to other services get these; there is no STS behind them yet. */
const placeholderCredentials = {
  accessKeyId: 'HEARTHPLACEHOLDER000',
  secretAccessKey: 'hearth-placeholder-secret-access-key',
  sessionToken: 'hearth-placeholder-session-token',
};

type OnStop = (cleanup: () => Promise<void> | void) => void;

/** Starts everything on the configured address; on failure what was started is stopped again. */
export async function startHearth(config: Config, options: HearthOptions): Promise<Hearth> {
  const log = createLog(config.logLevel);
  const cleanups: (() => Promise<void> | void)[] = [];
  const onStop: OnStop = (cleanup) => void cleanups.unshift(cleanup);
  try {
    const running = await wire(config, log, options, onStop);
    return { ...running, stop: () => runAll(cleanups, log) };
  } catch (error) {
    await runAll(cleanups, log);
    throw error;
  }
}

async function wire(
  config: Config,
  log: Log,
  options: HearthOptions,
  onStop: OnStop,
): Promise<Omit<Hearth, 'stop'>> {
  const clock = systemClock;
  const random = systemRandom;
  const identity = { accountId: config.accountId, region: config.region };
  const folder = (name: string): string => join(config.dataFolder, name);

  const lock = await lockDataFolder(clock, config);
  onStop(() => lock.release());
  const watchdog: Watchdog = await startWatchdog({ command: options.sweepCommand });
  onStop(() => watchdog.stop());

  const { driver, swept } = await openDriver(config, log);
  onStop(() => driver.close());

  const store = await openSqliteStore(log, {
    path: folder('state.db'),
    onFailure: options.onFailure,
  });
  onStop(() => store.close());
  const blobs = await openFileBlobs({ folder: folder('blobs') });
  const codeTrees = await openCodeTrees({ folder: folder('code') });

  const objects = await openObjects(clock, config);
  if (objects !== undefined) onStop(() => objects.close());

  const codeLocations = createCodeLocations(clock, random.hex(32));
  const control = await createControlPlane(clock, random, log, store, blobs, codeTrees, {
    ...identity,
    codeLocations,
    ...(objects === undefined ? {} : { objects }),
    ...config.quotas,
    concurrentExecutions: config.concurrencyMax,
    enforceRuntimeDeprecation: config.enforceRuntimeDeprecation,
    settleDelayMs: config.settleDelayMs,
  });
  onStop(() => control.close());

  const metrics = new Metrics({
    isFunction: (name) => directory.find(name, undefined) !== undefined,
  });
  const worker = new Worker(
    clock,
    random,
    log,
    {
      driver,
      catalog: createRuntimeCatalog(config.runtimes),
      transports: createRuntimeTransports(clock),
    },
    {
      ...config,
      credentials: placeholderCredentials,
      openCode: (hash) => openCode(codeTrees, blobs, hash),
      logSink: options.logSink ?? discardLogs,
      listener: metrics,
    },
  );
  const snapshots = new SnapshotPreparer(clock, log, store, {
    prepare: (version) => worker.prepareSnapshot(version),
  });
  onStop(() => snapshots.close());
  // Before that: what is being prepared ends with the worker.
  onStop(() => worker.close());
  const concurrency = new Concurrency(clock, {
    accountMax: config.concurrencyMax,
    newEnvironmentsMax: config.scalingRateMax,
  });
  const directory = new FunctionDirectory({
    onVersion: (version) => {
      worker.expectVersion(version);
      provisioned.onVersion(version);
      snapshots.offer(version);
    },
    onRetired: (key) => {
      snapshots.forget(key);
      worker.retire(key);
    },
    onReserve: (functionName, reserved) => concurrency.setReserved(functionName, reserved),
    onDeleted: (functionName) => {
      concurrency.forget(functionName);
      metrics.functions.forget(functionName);
    },
  });
  const reporter = new ProvisionReporter(log, store);
  onStop(() => reporter.settled());
  const provisioned = new ProvisionedConcurrency({ directory, concurrency, worker, reporter });
  await directory.open(store);
  onStop(() => directory.close());
  await provisioned.open(store);
  onStop(() => provisioned.close());
  metrics.observe({ concurrency, host: worker });
  const parts = { directory, concurrency, worker, metrics: metrics.functions };
  const invoker = new Invoker(clock, random, parts, identity);

  const handlers = createOperationHandlers({ control, invoker, identity });
  const server: ApiServer = createApiServer(clock, random, log, handlers, {
    loopbackOnly: config.loopbackOnly,
    metrics,
    quotas: config.quotas,
    extraRoutes: createCodeDownloadRoute(log, blobs, codeLocations),
  });
  const address = await server.listen(config.host, config.port);
  onStop(() => server.close({ drainMs: config.drainMsMax }));
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  const { name: driverName, notices } = driver;
  return { url: `http://${host}:${address.port}`, driverName, notices, swept };
}

/** The first to touch the data folder, and so the one to find out that it cannot be used. */
async function lockDataFolder(clock: Clock, config: Config): Promise<FolderLock> {
  const { dataFolder, lockWaitMsMax } = config;
  try {
    return await lockFolderPatiently(clock, dataFolder, lockWaitMsMax);
  } catch (error) {
    if (!(error instanceof Error) || error.name === 'FolderLockedError') throw error;
    const message = `the data folder ${dataFolder} cannot be used: ${error.message}`;
    throw new ConfigError(message, { cause: error });
  }
}

/** Where code in buckets comes from, if the environment names an endpoint. */
async function openObjects(clock: Clock, config: Config): Promise<S3Objects | undefined> {
  const { s3Endpoint: endpoint, region, dataFolder } = config;
  if (endpoint === undefined) return undefined;
  return openS3Objects(clock, { endpoint, region, folder: join(dataFolder, 'downloads') });
}

/** Removes whatever earlier processes left of this data folder's sandboxes. */
export async function sweep(dataFolder: string): Promise<SweepReport> {
  const lock = await lockFolder(dataFolder, 'sweep');
  try {
    return await sweepLeftovers(
      systemClock,
      systemRandom,
      createLog('warn'),
      runFolder(dataFolder),
    );
  } finally {
    lock.release();
  }
}

/** Every runtime of the service, and whether this host can run it. */
export function listRuntimes(): readonly RuntimeListing[] {
  return createRuntimeCatalog(findRuntimeSearch()).list();
}

/** Sweeps first, whichever driver the last server used. The data folder must be locked. */
async function openDriver(
  config: Config,
  log: Log,
): Promise<{ driver: SandboxDriver; swept: SweepReport }> {
  const folder = runFolder(config.dataFolder);
  const swept = await sweepLeftovers(systemClock, systemRandom, log, folder);
  const driver = await selectDriver(systemClock, systemRandom, log, {
    choice: config.sandbox,
    folder,
    ...(config.ociRuntimePath === undefined ? {} : { runtimePath: config.ociRuntimePath }),
  });
  return { driver, swept };
}

function runFolder(dataFolder: string): string {
  return join(dataFolder, 'run');
}

/** Unpacked code, not removed while an environment uses it, made from its blob if need be. */
async function openCode(codeTrees: CodeTrees, blobs: Blobs, hash: string): Promise<OpenCode> {
  const release = codeTrees.pin(hash);
  try {
    const folder = await codeTrees.ensure(hash, async () => {
      const bytes = await blobs.get(hash);
      if (bytes !== undefined) return bytes;
      throw new Error(`the code package ${hash} is missing from the data folder`);
    });
    return { folder, hasSharedLibraries: await hasSharedLibraries(folder), release };
  } catch (error) {
    release();
    throw error;
  }
}

/** Last started, first stopped; one that fails does not keep the others from stopping. */
async function runAll(cleanups: (() => Promise<void> | void)[], log: Log): Promise<void> {
  for (const cleanup of cleanups.splice(0)) {
    try {
      await cleanup();
    } catch (error) {
      log.error({ error }, 'something could not be stopped');
    }
  }
}
