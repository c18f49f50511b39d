/**
 * Function names and ARNs: every form in which a request may name a function, and the one form in
 * which answers do (guide page 003; service model shapes FunctionName and NamespacedFunctionName).
 */
import { ApiError, invalidParameterValue } from './errors.ts';
import { limits } from './limits.ts';

/** Whose functions these are. */
export interface Identity {
  /** Twelve digits. */
  readonly accountId: string;
  readonly region: string;
  /** `aws` when left out. */
  readonly partition?: string;
}

export interface FunctionReference {
  readonly functionName: string;
  /** Version number, alias name or `$LATEST`; undefined when the request names none. */
  readonly qualifier: string | undefined;
}

interface ParsedReference {
  readonly region: string | undefined;
  readonly accountId: string | undefined;
  readonly functionName: string;
  readonly qualifier: string | undefined;
}

const regionPattern = '(?:eusc-)?[a-z]{2}(?:(?:-gov)|(?:-iso[a-z]?))?-[a-z]+-\\d';

const referencePattern = new RegExp(
  '^(?:arn:(?:aws[a-zA-Z-]*)?:lambda:)?' +
    `(?:(?<region>${regionPattern}):)?` +
    '(?:(?<accountId>\\d{12}):)?' +
    '(?:function:)?' +
    '(?<functionName>[a-zA-Z0-9-_.]+)' +
    '(?::(?<qualifier>\\$LATEST(?:\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?$',
  'u',
);

/** Longest text worth matching: the model's bound on ARNs. */
const referenceLengthMax = 10_000;

/** Most requests use a bare name: no regular expression, no groups. */
const bareNamePattern = /^[a-zA-Z0-9-_]+$/u;

function parseReference(input: string): ParsedReference {
  if (input.length <= limits.functionNameLengthMax && bareNamePattern.test(input)) {
    return {
      region: undefined,
      accountId: undefined,
      functionName: input,
      qualifier: undefined,
    };
  }
  const groups =
    input.length > referenceLengthMax ? undefined : referencePattern.exec(input)?.groups;
  const functionName = groups?.['functionName'];
  if (groups === undefined || functionName === undefined) {
    throw invalidParameterValue('The function name is not a name, a partial ARN or an ARN.');
  }
  return {
    region: groups['region'],
    accountId: groups['accountId'],
    functionName,
    qualifier: groups['qualifier'],
  };
}

/**
 * Throws InvalidParameterValueException for a name over the bound, in the service's words (aws-cdk
 * #13264). Only creating checks it: elsewhere such a name is one that no function has.
 */
export function checkNewFunctionName(functionName: string): void {
  if (functionName.length <= limits.functionNameLengthMax) return;
  throw invalidParameterValue(
    `1 validation error detected: Value '${functionName}' at 'functionName' failed to satisfy ` +
      `constraint: Member must have length less than or equal to ${limits.functionNameLengthMax}`,
  );
}

/** The service's words for an ARN of another region (aws-lambda-power-tuning #18). */
function otherRegion(region: string, identity: Identity): ApiError {
  return new ApiError(
    'ResourceNotFoundException',
    `Functions from '${region}' are not reachable in this region ('${identity.region}')`,
  );
}

/** Another account's function is a matter of permission there; nobody can grant it here. */
function otherAccount(arn: string, identity: Identity): ApiError {
  return new ApiError(
    'AccessDeniedException',
    `User: arn:${identity.partition ?? 'aws'}:iam::${identity.accountId}:root is not authorized ` +
      `to perform this operation on resource: ${arn}`,
  );
}

/**
 * What a request's FunctionName and Qualifier name together. Forms of `input`: `name`,
 * `name:qualifier`, `function:name`, `123456789012:function:name`, `arn:aws:lambda:REGION:ACCOUNT:
 * function:name`, each with or without qualifier.
 *
 * Throws InvalidParameterValueException (two qualifiers that differ), ResourceNotFoundException
 * (another region), AccessDeniedException (another account).
 */
export function parseFunctionReference(
  input: string,
  qualifier: string | undefined,
  identity: Identity,
): FunctionReference {
  const parsed = parseReference(input);
  const { functionName } = parsed;
  const requested = qualifier === '' ? undefined : qualifier;
  if (requested !== undefined && parsed.qualifier !== undefined && requested !== parsed.qualifier) {
    throw invalidParameterValue(
      'The derived qualifier from the function name does not match the specified qualifier.',
    );
  }
  if (parsed.region !== undefined && parsed.region !== identity.region) {
    throw otherRegion(parsed.region, identity);
  }
  if (parsed.accountId !== undefined && parsed.accountId !== identity.accountId) {
    const owner = { ...identity, accountId: parsed.accountId };
    throw otherAccount(functionArn(owner, functionName, parsed.qualifier), identity);
  }
  return { functionName, qualifier: requested ?? parsed.qualifier };
}

/** `arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]`. */
export function functionArn(identity: Identity, functionName: string, qualifier?: string): string {
  const { partition = 'aws', region, accountId } = identity;
  const unqualified = `arn:${partition}:lambda:${region}:${accountId}:function:${functionName}`;
  return qualifier === undefined ? unqualified : `${unqualified}:${qualifier}`;
}
