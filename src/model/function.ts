/**
 * The nouns that control and data plane share through the store: functions and their versions.
 *
 * Documents (partition is always the function's name):
 *   collection 'function'         id ''            FunctionRecord: function-level settings and $LATEST
 *   collection 'version'          id '0000000042'  PublishedVersionRecord: immutable but for its state
 *   collection 'version-counter'  id ''            VersionCounter: outlives the function
 *   collection 'snapshot-status'  id '0000000042'  SnapshotStatus: a message from data to control plane
 */
import type {
  FunctionConfiguration,
  LastUpdateStatusReasonCode,
  RecursiveLoop,
  StateReasonCode,
  UpdateRuntimeOn,
} from './generated/api-types.ts';

export const collections = {
  function: 'function',
  version: 'version',
  versionCounter: 'version-counter',
  snapshotStatus: 'snapshot-status',
} as const;

/** Members that every stored configuration has, whatever the request left out. */
type SettledMember =
  | 'FunctionName'
  | 'FunctionArn'
  | 'Version'
  | 'RevisionId'
  | 'LastModified'
  | 'Timeout'
  | 'MemorySize'
  | 'EphemeralStorage'
  | 'CodeSize'
  | 'PackageType'
  | 'Role'
  | 'State'
  | 'LastUpdateStatus';

type Settled<T, K extends keyof T> = T & { [P in K]-?: Exclude<T[P], undefined> };

/** The wire shape of GetFunctionConfiguration with its defaults filled in. */
export type StoredConfiguration = Settled<FunctionConfiguration, SettledMember>;

export interface CodeReference {
  /** SHA-256 of the zip archive, hexadecimal: the blob's and the code tree's name. */
  readonly hash: string;
  readonly zippedBytes: number;
  readonly unzippedBytes: number;
  /**
   * The object that the owner keeps it in (S3ObjectStorageMode REFERENCE): what is here is a copy for
   * running it, and takes none of the account's code storage.
   */
  readonly s3Object?: S3ObjectVersion;
}

/** One version of an object in a bucket. */
export interface S3ObjectVersion {
  readonly bucket: string;
  readonly key: string;
  readonly version: string;
}

/** A container image: its registry keeps it, this server only its address. */
export interface ImageReference {
  /** As the request gave it. */
  readonly imageUri: string;
}

/** What a version runs: an archive that is kept here, or an image. */
export type PackageReference = CodeReference | ImageReference;

/** A layer version as a function has it: whole, so that it does not matter if the layer is deleted. */
export interface LayerReference {
  readonly arn: string;
  readonly code: CodeReference;
}

export interface VersionRecord {
  readonly configuration: StoredConfiguration;
  readonly code: PackageReference;
  /** Lowest first; absent in documents that were written before there were layers. */
  readonly layers?: readonly LayerReference[];
  /** The key that the code was sent with (SourceKMSKeyArn): kept and given back. */
  readonly sourceKmsKeyArn?: string;
  /**
   * New with every change of code or settings, and with every creation; the same while only state,
   * tags or RevisionId change. Environments built from equal ids are interchangeable.
   */
  readonly buildId: string;
  /** Absent for Auto. A published version has that of the $LATEST it was taken from, until it gets its own. */
  readonly runtimeManagement?: RuntimeManagement;
}

/** When a version is to get another version of its runtime. */
export interface RuntimeManagement {
  readonly updateRuntimeOn: UpdateRuntimeOn;
  /** With Manual only. */
  readonly runtimeVersionArn?: string;
}

export interface PublishedVersionRecord extends VersionRecord {
  /** Build id of the $LATEST it was taken from: publishing that again makes no new version. */
  readonly publishedFrom: string;
}

export interface FunctionRecord {
  readonly latest: VersionRecord;
  readonly tags: Readonly<Record<string, string>>;
  /** Invocations at once that are kept for this function and are its most; 0 allows none. */
  readonly reservedConcurrency?: number;
  /** Of the code signing configuration that deployments are held to (model/code-signing.ts). */
  readonly codeSigningConfigId?: string;
  /** Absent for Terminate. */
  readonly recursiveLoop?: RecursiveLoop;
}

export interface VersionCounter {
  /** The highest version number ever published under this name. */
  readonly lastVersion: number;
}

export function layersOf({ layers = [] }: VersionRecord): readonly LayerReference[] {
  return layers;
}

export function isImage(code: object): code is ImageReference {
  return 'imageUri' in code;
}

/** The archives that a version's files come from: its own, unless it is an image, and its layers'. */
export function archivesOf(
  version: Pick<VersionRecord, 'code' | 'layers'>,
): readonly CodeReference[] {
  const { code, layers = [] } = version;
  return [...(isImage(code) ? [] : [code]), ...layers.map((layer) => layer.code)];
}

/** What a package takes of the account's code storage: none if it is kept elsewhere. */
export function storedBytesOf(code: PackageReference): number {
  return isImage(code) || code.s3Object !== undefined ? 0 : code.zippedBytes;
}

/** The member of a version for a key that a request gives, or none; empty is none. */
export function sourceKeyOf(arn: string | undefined): Pick<VersionRecord, 'sourceKmsKeyArn'> {
  return arn ? { sourceKmsKeyArn: arn } : {};
}

/** A published version of a function that asks for snapshots; $LATEST never has one. */
export function isSnapStartVersion({ Version, SnapStart }: StoredConfiguration): boolean {
  return SnapStart?.ApplyOn === 'PublishedVersions' && Version !== '$LATEST';
}

/**
 * What became of the Init that publishing a SnapStart version runs. The data plane writes it; the
 * control plane removes it in the commit that settles the version.
 */
export interface SnapshotStatus {
  /** Of the version that was initialised. */
  readonly buildId: string;
  readonly failure?: SnapshotFailure;
}

export interface SnapshotFailure {
  readonly code: StateReasonCode & LastUpdateStatusReasonCode;
  readonly reason: string;
}

/** Document id of a published version: sorts by number. */
export function versionDocumentId(version: string): string {
  return version.padStart(10, '0');
}
