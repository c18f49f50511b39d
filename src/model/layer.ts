/**
 * Layers as they are stored. A layer has no document of its own: it is there as long as one of its
 * versions is.
 *
 * Documents (partition is always the layer's name):
 *   collection 'layer-version'          id '9999999957'  LayerVersionRecord: immutable but for its policy
 *   collection 'layer-version-counter'  id ''            VersionCounter: outlives the layer
 */
import type { CodeReference } from './function.ts';
import type { Architecture, Runtime } from './generated/api-types.ts';

export const layerCollections = {
  layerVersion: 'layer-version',
  layerVersionCounter: 'layer-version-counter',
} as const;

export interface LayerVersionRecord {
  readonly layerName: string;
  readonly version: number;
  readonly description: string;
  readonly licenseInfo: string | null;
  /** In the form of `timestamp`. */
  readonly createdDate: string;
  /** Null when none were given; lists are kept as they came, empty ones too (radkawar/stackd docs/lambda.md). */
  readonly compatibleRuntimes: readonly Runtime[] | null;
  readonly compatibleArchitectures: readonly Architecture[] | null;
  readonly code: CodeReference;
  /** Null until the first permission, and again after the last was removed. */
  readonly policy: LayerPolicy | null;
}

/** Who else may use a layer version. */
export interface LayerPolicy {
  /** New with every change. */
  readonly revisionId: string;
  /** In the order in which they were added. */
  readonly statements: readonly LayerStatement[];
}

export interface LayerStatement {
  readonly id: string;
  /** Twelve digits, '*', or an account's root ARN. */
  readonly principal: string;
  /** With the principal '*': only accounts of this organization. */
  readonly organizationId: string | null;
}

/** The highest version number that a document id can hold. */
export const layerVersionMax = 9_999_999_999;

/** Document id of a layer version: sorts the newest first, as listings give them. */
export function layerVersionDocumentId(version: number): string {
  return String(layerVersionMax - version).padStart(10, '0');
}
