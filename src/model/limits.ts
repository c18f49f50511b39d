/**
 * Every documented bound of the service and every bound of our own, in one place, with its reason.
 * A bound that is a setting takes its default from here.
 */

export const KIB = 1024;
export const MIB = 1024 * KIB;

/** Documented quotas (guide pages 003, 008, 012; service model where noted). */
export const limits = {
  functionNameLengthMax: 64,
  /** Service model, shape Alias. */
  aliasNameLengthMax: 128,
  memorySizeMbMin: 128,
  memorySizeMbMax: 10_240,
  memorySizeMbDefault: 128,
  timeoutSecondsMin: 1,
  timeoutSecondsMax: 900,
  timeoutSecondsDefault: 3,
  ephemeralStorageMbMin: 512,
  ephemeralStorageMbMax: 10_240,
  ephemeralStorageMbDefault: 512,
  environmentBytesMax: 4 * KIB,
  layersPerFunctionMax: 5,
  /** Zip archive sent in the request. */
  codeZippedBytesMax: 50 * MIB,
  /** The rest of a request that carries an archive. */
  besideArchiveBytesMax: 256 * KIB,
  /** Code plus layers, unpacked: 262,144,000 bytes. */
  codeUnzippedBytesMax: 250 * MIB,
  /** All code of the account: 75 GiB. */
  codeStorageBytesMax: 75 * 1024 * MIB,
  /** Code signing configurations, or their functions, on one page (API page of ListCodeSigningConfigs). */
  codeSigningPageItemsMax: 10_000,
  /** A resource-based policy as JSON. */
  policyBytesMax: 20 * KIB,
  concurrencyAccountDefault: 1000,
  concurrencyUnreservedMin: 100,
  /** Requests per second for each unit of concurrency, at every level that has units. */
  requestsPerSecondPerConcurrency: 10,
  /** New environments of one function per window (the guide has 500, too: unverified.md). */
  scalingEnvironmentsDefault: 1000,
  scalingWindowMs: 10_000,
  /** Provisioned environments begun for one function (guide page 008). */
  provisionedStartsPerMinute: 6000,
  /** Synchronous invoke request payload: 6 MiB. */
  invokeRequestBytesMax: 6 * MIB,
  /** Synchronous invoke response payload: 6 MiB plus 100 bytes of slack, as the service words it. */
  invokeResponseBytesMax: 6 * MIB + 100,
  /** All sub-phases of Init together, on demand (guide page 045). */
  initDurationMsMax: 10_000,
  /** Restore from a snapshot: loading and after-restore hooks together (guide page 045). */
  restoreDurationMsMax: 10_000,
  /** The least that Init may take with provisioned concurrency or SnapStart; else the function's timeout. */
  initDurationMsProvisioned: 130_000,
  /** Extensions of a function, internal and external together (guide page 052). */
  extensionsMax: 10,
  /** From SHUTDOWN until what is left is killed: with an external extension, with internal ones only. */
  shutdownMsExternal: 2_000,
  shutdownMsInternal: 500,
  /** LogType=Tail returns the last 4 KB of the invocation's log. */
  logTailBytesMax: 4 * KIB,
  /** A telemetry subscriber's batches (guide page 056). */
  telemetryBatchBytesMin: 256 * KIB,
  telemetryBatchBytesMax: MIB,
  telemetryBatchBytesDefault: 256 * KIB,
  telemetryBatchItemsMin: 1000,
  telemetryBatchItemsMax: 10_000,
  telemetryBatchItemsDefault: 10_000,
  telemetryBatchTimeoutMsMin: 25,
  telemetryBatchTimeoutMsMax: 30_000,
  telemetryBatchTimeoutMsDefault: 1000,
  /** Event source mappings (documentation of CreateEventSourceMapping in the SDK's models). */
  fifoBatchSizeMax: 10,
  /** A queue's batch beyond this needs a batching window. */
  queueBatchSizeMaxWithoutWindow: 10,
  /** Unless there is no limit at all, which is -1. */
  recordAgeSecondsMin: 60,
  recordAgeSecondsMax: 604_800,
  /** The quota that accounts begin with. */
  filtersPerMappingMax: 5,
  minimumPollersMax: 200,
  maximumPollersDefault: 200,
  queueMinimumPollersMin: 2,
  queueMaximumPollersMax: 10_000,
  kafkaMinimumPollersMin: 1,
  kafkaMaximumPollersMax: 2_000,
  /** Memory at which a function has one full vCPU (architecture.md section 5). */
  memoryMbPerVcpu: 1_769,
} as const;
