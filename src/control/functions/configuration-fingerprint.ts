/** Tells whether a configuration and its code are those of the last version. */
import { createHash } from 'node:crypto';
import { isImage, type PackageReference, type StoredConfiguration } from '../../model/function.ts';

/**
 * What publishing compares: code and settings, without what names one version or tells its state.
 * Equal fingerprints mean that nothing changed.
 */
export function fingerprint(configuration: StoredConfiguration, code: PackageReference): string {
  const ignored = new Set<string>([
    'FunctionArn',
    'LastModified',
    'LastUpdateStatus',
    'LastUpdateStatusReason',
    'LastUpdateStatusReasonCode',
    'RevisionId',
    'State',
    'StateReason',
    'StateReasonCode',
    'Version',
  ]);
  const settings = Object.entries(configuration).filter(([member]) => !ignored.has(member));
  const text = canonicalJson([
    isImage(code) ? code.imageUri : code.hash,
    Object.fromEntries(settings),
  ]);
  return createHash('sha256').update(text).digest('hex');
}

/** JSON with the members of every object in one order. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) => {
    if (part === null || typeof part !== 'object' || Array.isArray(part)) return part;
    const members = Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(members);
  });
}
