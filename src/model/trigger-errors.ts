/** Refusals of what sets functions off: function URLs, asynchronous invocation, event sources. */
import { ApiError, invalidParameterValue, resourceConflict, resourceNotFound } from './errors.ts';

/** What a function URL is made or changed for is not there (as LocalStack answers). */
export function functionUrlTargetNotFound(): ApiError {
  return resourceNotFound('Function does not exist');
}

/** A function or alias has one URL (psoxy's troubleshooting guide shows the refusal). */
export function functionUrlExists(arn: string): ApiError {
  return resourceConflict(
    `Failed to create function url config for [functionArn = ${arn}]. Error message:  FunctionUrlConfig exists for this Lambda function`,
  );
}

/** Asynchronous invocations are to be configured of what is not there (as LocalStack answers). */
export function eventInvokeTargetNotFound(): ApiError {
  return resourceNotFound("The function doesn't exist.");
}

/** `arn` has its qualifier, `$LATEST` too. */
export function eventInvokeConfigNotFound(arn: string): ApiError {
  return resourceNotFound(`The function ${arn} doesn't have an EventInvokeConfig`);
}

/** A destination that is not well-formed or not there (serverless #7507, terraform-provider-aws). */
export function destinationInvalid(arn: string): ApiError {
  return invalidParameterValue(`The destination ARN ${arn} is invalid.`);
}

/** A destination that cannot take these records (aws-cdk #37115: a bucket for successes). */
export function destinationConfigInvalid(
  onSuccess: string | undefined,
  onFailure: string | undefined,
): ApiError {
  const success = onSuccess === undefined ? 'null' : `OnSuccess(destination=${onSuccess})`;
  const failure = onFailure === undefined ? 'null' : `OnFailure(destination=${onFailure})`;
  return invalidParameterValue(
    `The provided destination config DestinationConfig(onSuccess=${success}, onFailure=${failure}) is invalid.`,
  );
}

/** terraform-provider-aws #22373. */
export function mappingFunctionMissing(): ApiError {
  return invalidParameterValue('Function does not exist');
}

/** An event source mapping is still being changed; boto3 users quote both. */
export function mappingInUse(action: 'update' | 'delete'): ApiError {
  return new ApiError(
    'ResourceInUseException',
    `Cannot ${action} the event source mapping because it is in use.`,
  );
}
