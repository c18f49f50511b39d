/** Reading a function's aliases; they share the function's partition. */
import { aliasCollections, type AliasRecord, type StoredAlias } from '../../model/alias.ts';
import { limits } from '../../model/limits.ts';
import type { DocumentKey, Store, StoredDocument } from '../../store/store.ts';

/** Aliases read at once while all of them are walked through. */
const ALIASES_PER_READ = 100;

export function aliasKey(functionName: string, name: string): DocumentKey {
  return { collection: aliasCollections.alias, partition: functionName, id: name };
}

/** Any qualifier may be asked for: one that is too long for an alias is none, and no key of a document. */
export async function readAlias(
  store: Store,
  functionName: string,
  name: string,
): Promise<StoredDocument<AliasRecord> | undefined> {
  if (name.length > limits.aliasNameLengthMax) return undefined;
  return store.get<AliasRecord>(aliasKey(functionName, name));
}

/** A function's aliases by name, from after a name. */
export async function* aliasesOf(
  store: Store,
  functionName: string,
  afterName = '',
): AsyncGenerator<StoredAlias> {
  for (let id: string | undefined = afterName; id !== undefined;) {
    const documents: StoredDocument<AliasRecord>[] = await store.list(aliasCollections.alias, {
      partition: functionName,
      after: { partition: functionName, id },
      limit: ALIASES_PER_READ,
    });
    for (const { value } of documents) yield value.configuration;
    id = documents.length < ALIASES_PER_READ ? undefined : documents.at(-1)?.id;
  }
}

/** The version that an alias points to, and the one that its weights add. */
export function versionsOf({
  FunctionVersion: version,
  RoutingConfig,
}: Pick<StoredAlias, 'FunctionVersion' | 'RoutingConfig'>): string[] {
  return [version, ...Object.keys(RoutingConfig?.AdditionalVersionWeights ?? {})];
}
