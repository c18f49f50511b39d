/**
 * Resource-based policies: documents of statements that say who may do what with a resource. Those
 * of functions are stored as they are given back; layers make theirs from what they store (layer.ts).
 *
 * Documents (partition is always the function's name):
 *   collection 'policy'  id QUALIFIER  PolicyRecord: of a version or an alias; of the function as a whole with '$LATEST'
 */
import { policyTooLong, statementExists, statementNotFound } from './policy-errors.ts';
import { limits } from './limits.ts';

export const policyCollection = 'policy';

export interface PolicyRecord {
  readonly document: PolicyDocument;
}

/** In IAM's JSON grammar; only what every operation looks at is named here. */
export interface PolicyDocument {
  readonly Version?: string;
  readonly Id?: string;
  /** At least one. */
  readonly Statement: readonly PolicyStatement[];
}

export interface PolicyStatement {
  /** Unique in its document, unless it is absent or empty. */
  readonly Sid?: string;
  readonly [element: string]: unknown;
}

/** A statement as permissions are added one by one: it always has an id. */
export interface NamedStatement extends PolicyStatement {
  readonly Sid: string;
}

/** What the first permission is added to. */
export const emptyPolicy: PolicyDocument = { Version: '2012-10-17', Id: 'default', Statement: [] };

/** Throws ResourceConflict for an id that the document has already, PolicyLengthExceeded. */
export function withStatement(document: PolicyDocument, statement: NamedStatement): PolicyDocument {
  checkIdIsFree(document, statement.Sid);
  const changed = { ...document, Statement: [...document.Statement, statement] };
  checkPolicySize(changed);
  return changed;
}

/** Throws ResourceConflict for an id that the document has already. */
export function checkIdIsFree(document: PolicyDocument, id: string): void {
  if (document.Statement.some(({ Sid }) => Sid === id)) throw statementExists(id);
}

/** Undefined once nothing is left. Throws ResourceNotFound for an id that the document does not have. */
export function withoutStatement(document: PolicyDocument, id: string): PolicyDocument | undefined {
  const Statement = document.Statement.filter(({ Sid }) => Sid !== id);
  if (Statement.length === document.Statement.length) throw statementNotFound(id);
  return Statement.length === 0 ? undefined : { ...document, Statement };
}

/** The document as answers give it: JSON without white space. */
export function renderPolicy(document: PolicyDocument): string {
  return JSON.stringify(document);
}

/** Throws PolicyLengthExceeded for a document of more than limits.policyBytesMax as it is given back. */
export function checkPolicySize(document: PolicyDocument): void {
  const bytes = new TextEncoder().encode(renderPolicy(document)).length;
  if (bytes > limits.policyBytesMax) throw policyTooLong(bytes, limits.policyBytesMax);
}
