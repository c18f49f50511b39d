/**
 * Reads a whole policy as PutResourcePolicy gets it: a document in IAM's JSON grammar (IAM guide,
 * "Grammar of the IAM JSON policy language"), with principals and resources as a function's policy
 * can have them (AWS Lambda guide, "Working with resource-based policies in Lambda").
 */
import { isJsonObject, type JsonObject } from './json-object.ts';
import { invalidPolicy, invalidPrincipal } from './policy-errors.ts';
import { isAwsPrincipal, isServicePrincipal } from './policy-principal.ts';
import { checkPolicySize, type PolicyDocument, type PolicyStatement } from './policy.ts';

const versions: readonly unknown[] = ['2008-10-17', '2012-10-17'];
const documentElements = ['Version', 'Id', 'Statement'];
const statementElements = [
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
];

const actionPattern = /^(?:\*|lambda:[a-z*?]+)$/iu;
/** Other services' keys are refused (radkawar/stackd, which compares with the service). */
const conditionKeyPattern = /^(?:aws|lambda):/iu;

const operators = ['Equals', 'NotEquals'];
const orders = ['LessThan', 'LessThanEquals', 'GreaterThan', 'GreaterThanEquals'];
const conditionOperators: ReadonlySet<string> = new Set([
  ...[...operators, 'EqualsIgnoreCase', 'NotEqualsIgnoreCase', 'Like', 'NotLike'].map(
    (name) => `String${name}`,
  ),
  ...[...operators, ...orders].flatMap((name) => [`Numeric${name}`, `Date${name}`]),
  ...[...operators, 'Like', 'NotLike'].map((name) => `Arn${name}`),
  'Bool',
  'BinaryEquals',
  'IpAddress',
  'NotIpAddress',
  'Null',
]);

/**
 * The document, its Statement always a list; all else is as it was given. `functionArn` has no
 * qualifier: resources may be the function, its versions and its aliases.
 *
 * Throws InvalidParameterValueException, and PolicyLengthExceededException if it is too large as it
 * would be given back.
 */
export function parsePolicy(text: string, functionArn: string): PolicyDocument {
  const document = parseObject(text);
  checkElements(document, documentElements, 'The document');
  const { Version, Id, Statement } = document;
  if (Version !== undefined && !versions.includes(Version)) {
    throw invalidPolicy(`Version must be one of ${versions.join(', ')}.`);
  }
  if (Id !== undefined && typeof Id !== 'string') throw invalidPolicy('Id must be a string.');
  const statements = Array.isArray(Statement) ? (Statement as unknown[]) : [Statement];
  if (Statement === undefined || statements.length === 0) {
    throw invalidPolicy('The document must have a Statement.');
  }
  statements.forEach((statement, index) =>
    checkStatement(statement, `Statement ${index + 1}`, functionArn),
  );
  checkIdsDiffer(statements as PolicyStatement[]);
  const parsed = { ...document, Statement: statements } as PolicyDocument;
  checkPolicySize(parsed);
  return parsed;
}

function parseObject(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalidPolicy('It is not valid JSON.');
  }
  if (!isJsonObject(value)) throw invalidPolicy('It must be a JSON object.');
  return value;
}

function checkElements(object: JsonObject, known: readonly string[], where: string): void {
  const unknown = Object.keys(object).find((name) => !known.includes(name));
  if (unknown !== undefined) throw invalidPolicy(`${where} has an unknown element ${unknown}.`);
}

function checkIdsDiffer(statements: readonly PolicyStatement[]): void {
  const ids = statements.map(({ Sid }) => Sid).filter((id) => id !== undefined && id !== '');
  const double = ids.find((id, index) => ids.indexOf(id) !== index);
  if (double !== undefined) throw invalidPolicy(`More than one statement has the Sid ${double}.`);
}

function checkStatement(statement: unknown, where: string, functionArn: string): void {
  if (!isJsonObject(statement)) throw invalidPolicy(`${where} must be an object.`);
  checkElements(statement, statementElements, where);
  const { Sid, Effect, Condition } = statement;
  if (Sid !== undefined && typeof Sid !== 'string') {
    throw invalidPolicy(`${where}: Sid must be a string.`);
  }
  if (Effect !== 'Allow' && Effect !== 'Deny') {
    throw invalidPolicy(`${where}: Effect must be Allow or Deny.`);
  }
  checkPrincipal(oneOf(statement, 'Principal', where), where);
  for (const action of stringsOf(oneOf(statement, 'Action', where), `${where}: Action`)) {
    if (!actionPattern.test(action)) {
      throw invalidPolicy(`${where}: ${action} is not an action of Lambda.`);
    }
  }
  for (const resource of stringsOf(oneOf(statement, 'Resource', where), `${where}: Resource`)) {
    if (!isOfFunction(resource, functionArn)) {
      throw invalidPolicy(`${where}: the resource ${resource} does not belong to the function.`);
    }
  }
  if (Condition !== undefined) checkCondition(Condition, where);
}

/** The value of an element or of its negation ('Action' or 'NotAction'), of which there is exactly one. */
function oneOf(statement: JsonObject, name: string, where: string): unknown {
  const given = [name, `Not${name}`].filter((element) => statement[element] !== undefined);
  const [element] = given;
  if (element === undefined || given.length > 1) {
    throw invalidPolicy(`${where} must have either ${name} or Not${name}.`);
  }
  return statement[element];
}

/** What may be one string or several. */
function stringsOf(value: unknown, where: string): readonly string[] {
  const strings = maybeEmptyStringsOf(value, where);
  if (strings.includes('')) throw invalidPolicy(`${where} must not be empty.`);
  return strings;
}

function maybeEmptyStringsOf(value: unknown, where: string): readonly string[] {
  const values = Array.isArray(value) ? (value as unknown[]) : [value];
  if (values.length === 0 || !values.every((one) => typeof one === 'string')) {
    throw invalidPolicy(`${where} must be a string or a list of strings.`);
  }
  return values;
}

function isOfFunction(resource: string, functionArn: string): boolean {
  if (resource === '*' || resource === functionArn) return true;
  return resource.startsWith(`${functionArn}:`) || resource === `${functionArn}*`;
}

function checkPrincipal(principal: unknown, where: string): void {
  if (principal === '*') return;
  if (!isJsonObject(principal) || Object.keys(principal).length === 0) {
    throw invalidPolicy(`${where}: Principal must be * or an object.`);
  }
  checkElements(principal, ['AWS', 'Service', 'Federated', 'CanonicalUser'], `${where}: Principal`);
  for (const [kind, value] of Object.entries(principal)) {
    // A federated identity is any text at all (radkawar/stackd's notes of the service).
    const stringsIn = kind === 'Federated' ? maybeEmptyStringsOf : stringsOf;
    const names = stringsIn(value, `${where}: Principal ${kind}`);
    const isKnown = { AWS: isAwsPrincipal, Service: isServicePrincipal }[kind] ?? (() => true);
    if (!names.every(isKnown)) throw invalidPrincipal();
  }
}

function checkCondition(condition: unknown, where: string): void {
  if (!isJsonObject(condition)) throw invalidPolicy(`${where}: Condition must be an object.`);
  for (const [operator, keys] of Object.entries(condition)) {
    const plain = operator.replace(/^(?:ForAllValues|ForAnyValue):/u, '').replace(/IfExists$/u, '');
    if (!conditionOperators.has(plain)) {
      throw invalidPolicy(`${where}: ${operator} is not a condition operator.`);
    }
    if (!isJsonObject(keys)) throw invalidPolicy(`${where}: ${operator} must be an object.`);
    for (const [key, value] of Object.entries(keys)) {
      if (!conditionKeyPattern.test(key)) {
        throw invalidPolicy(`${where}: ${key} is not a condition key of IAM or Lambda.`);
      }
      const values = Array.isArray(value) ? (value as unknown[]) : [value];
      if (!values.every((one) => ['string', 'number', 'boolean'].includes(typeof one))) {
        throw invalidPolicy(`${where}: ${operator} of ${key} must be a value or a list of values.`);
      }
    }
  }
}
