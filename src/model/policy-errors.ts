/** Refusals of resource-based policies. */
import { ApiError, invalidParameterValue, resourceConflict, resourceNotFound } from './errors.ts';

/** A function that is not there, in RemovePermission's words (as LocalStack answers). */
export function policyOfNoFunction(arn: string): ApiError {
  return resourceNotFound(`No policy found for: ${arn}`);
}

export function policyNotFound(): ApiError {
  return resourceNotFound('No policy is associated with the given resource.');
}

export function statementNotFound(id: string): ApiError {
  return resourceNotFound(`Statement ${id} is not found in resource policy.`);
}

export function statementExists(id: string): ApiError {
  return resourceConflict(
    `The statement id (${id}) provided already exists. Please provide a new statement id, or ` +
      'remove the existing statement.',
  );
}

export function policyTooLong(bytes: number, bytesMax: number): ApiError {
  return new ApiError(
    'PolicyLengthExceededException',
    `The final policy size (${bytes}) is bigger than the limit (${bytesMax}).`,
  );
}

/** terraform-aws-lambda #36. The function as a whole can have one, by its name alone. */
export function latestHasNoPolicy(): ApiError {
  return invalidParameterValue('We currently do not support adding policies for $LATEST.');
}

/** cloudformation-coverage-roadmap #1189. */
export function invalidPrincipal(): ApiError {
  return invalidParameterValue(
    'The provided principal was invalid. Please check the principal and try again.',
  );
}

/** An ARN that is none of a principal's, as it is worded and spaced (aws-sdk #388). */
export function malformedPrincipalArn(principal: string): ApiError {
  return invalidParameterValue(
    `The provided input'${principal}'was invalid. Member must satisfy expression: [\\w+=,.@-]* ` +
      'Please check your input and try again.',
  );
}

/** A condition of function URLs with an action that it is not for (terraform-aws-open-next #73). */
export function onlyForAction(member: string, action: string): ApiError {
  return invalidParameterValue(`${member} is only supported for ${action} action`);
}

/**
 * A whole policy that is not in IAM's grammar, or not about the function. It begins as in radkawar/stackd,
 * which compares with the service; the detail is our own.
 */
export function invalidPolicy(detail: string): ApiError {
  return invalidParameterValue(`Policy has syntax errors. ${detail}`);
}
