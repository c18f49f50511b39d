/** Refusals of code signing. */
import { ApiError, invalidParameterValue, resourceConflict, resourceNotFound } from './errors.ts';

/** An operation on a code signing configuration that is not there (localstack's provider). */
export function codeSigningConfigNotFound(arn: string): ApiError {
  return resourceNotFound(`The Lambda code signing configuration ${arn} can not be found.`);
}

/** A function is to have, or has, a code signing configuration that is not there (localstack's provider). */
export function codeSigningConfigMissing(arn: string): ApiError {
  return new ApiError(
    'CodeSigningConfigNotFoundException',
    'The code signing configuration cannot be found. Check that the provided configuration is ' +
      `not deleted: ${arn}.`,
  );
}

/** In our own words: no public report has the service's. */
export function codeSigningConfigInUse(arn: string): ApiError {
  return resourceConflict(
    `The code signing configuration ${arn} cannot be deleted: functions are using it.`,
  );
}

/** aws-cdk #29474. */
export function codeVerificationFailed(functionName: string): ApiError {
  return new ApiError(
    'CodeVerificationFailedException',
    'Lambda cannot deploy the function. The function or layer might be signed using a signature ' +
      `that the client is not configured to accept. Check the provided signature for ${functionName}.`,
  );
}

/** terraform-provider-aws #17180; of reading the configuration, too. */
export function codeSigningOfImage(): ApiError {
  return invalidParameterValue(
    'Code signing is not supported for functions created with container images.',
  );
}
