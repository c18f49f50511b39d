/** Rules of tags that the service model does not hold (tagging page; tags belong to the function). */
import { invalidParameterValue } from './errors.ts';

/** Tags of one function. */
export const TAGS_MAX = 50;
/** Keys with this prefix, in any casing, are the service's own. */
const RESERVED_PREFIX = 'aws:';

export type Tags = Readonly<Record<string, string>>;

/** Throws InvalidParameterValue for tags that nothing can be given, whatever it has. */
export function checkTags(tags: Tags): void {
  for (const key of Object.keys(tags)) {
    if (key.toLowerCase().startsWith(RESERVED_PREFIX)) {
      throw invalidParameterValue(`Tag keys may not start with '${RESERVED_PREFIX}': ${key}`);
    }
  }
  if (Object.keys(tags).length > TAGS_MAX) {
    throw invalidParameterValue('Number of tags exceeds resource tag limit.');
  }
}

/** The tags of `present` with those of `added` put over them; throws InvalidParameterValue. */
export function withTags(present: Tags, added: Tags): Tags {
  const tags = { ...present, ...added };
  checkTags(tags);
  return tags;
}

/** The tags of `present` without the keys; keys that are not there are passed over. */
export function withoutTags(present: Tags, keys: readonly string[]): Tags {
  const removed = new Set(keys);
  return Object.fromEntries(Object.entries(present).filter(([key]) => !removed.has(key)));
}
