/**
 * Reading and changing policies. A function, each of its versions and each of its aliases can have one
 * of its own; it has no revision of its own but shares the RevisionId of what it is attached to, which
 * changes with it (LocalStack's tests against the service).
 */
import { revisionMismatch } from '../../model/errors.ts';
import { policyCollection, type PolicyRecord } from '../../model/policy.ts';
import type { DocumentKey, Store, StoredDocument, WriteOperation } from '../../store/store.ts';
import type { ControlContext } from '../control-context.ts';
import { putDocument } from '../commit.ts';
import {
  LATEST,
  requireFunction,
  withRevision,
  type Reference,
} from '../functions/function-documents.ts';
import { isPublished, requireQualifier } from '../functions/qualifiers.ts';

/** What the policy of a reference is attached to: a function, a version or an alias. */
export interface PolicyTarget {
  readonly revisionId: string;
  /**
   * What to write along with a change of the policy: gives the target another RevisionId. The function's
   * document is part of it, so that the target cannot be deleted meanwhile.
   */
  revise(revisionId: string): WriteOperation[];
}

/** Throws ResourceNotFound. Without a qualifier, and with $LATEST, it is the function. */
export async function requirePolicyTarget(
  context: ControlContext,
  reference: Reference,
): Promise<PolicyTarget> {
  const present = await requireFunction(context, reference);
  if (!isPublished(reference)) {
    const { latest } = present.value;
    return {
      revisionId: latest.configuration.RevisionId,
      revise: (revisionId) => [
        putDocument(present, { ...present.value, latest: withRevision(latest, revisionId) }),
      ],
    };
  }
  const named = await requireQualifier(context, reference);
  const unchanged = putDocument(present, present.value);
  if (named.kind === 'version') {
    const { document } = named;
    return {
      revisionId: document.value.configuration.RevisionId,
      revise: (revisionId) => [
        unchanged,
        putDocument(document, withRevision(document.value, revisionId)),
      ],
    };
  }
  const { document } = named;
  const { configuration } = document.value;
  return {
    revisionId: configuration.RevisionId,
    revise: (RevisionId) => [
      unchanged,
      putDocument(document, { configuration: { ...configuration, RevisionId } }),
    ],
  };
}

/** Throws PreconditionFailed, naming the operation that tells the present one. */
export function checkPolicyRevision(
  { revisionId }: PolicyTarget,
  wanted: string | undefined,
  source: Parameters<typeof revisionMismatch>[0],
): void {
  if (wanted !== undefined && wanted !== revisionId) throw revisionMismatch(source);
}

/** The policy of the function as a whole is filed under $LATEST, which cannot have one. */
export function policyKey({ functionName, qualifier = LATEST }: Reference): DocumentKey {
  return { collection: policyCollection, partition: functionName, id: qualifier };
}

/** Undefined for a reference to $LATEST. */
export async function readPolicy(
  store: Store,
  reference: Reference,
): Promise<StoredDocument<PolicyRecord> | undefined> {
  if (reference.qualifier === LATEST) return undefined;
  return store.get<PolicyRecord>(policyKey(reference));
}
