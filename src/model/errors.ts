/**
 * API errors: the modelled exceptions, the first of the four error families (ADR 0013).
 *
 * A code's HTTP status, fault side and body members come from the service model, the one source of
 * truth for wire shapes; `api/` renders them. Factories below hold each message text once.
 */
import type { ThrottleReason } from './generated/api-types.ts';

export interface ApiErrorOptions {
  /** Members of the error shape beside the message, for example `Reason`. */
  readonly members?: Readonly<Record<string, unknown>>;
  /** Response headers that the shape binds, for example `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** The exception's name on the wire, for example `ResourceNotFoundException`. */
  readonly code: string;
  readonly members: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: string, message: string, options: ApiErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.members = options.members ?? {};
    this.headers = options.headers ?? {};
  }
}

export function isApiError(error: unknown): error is ApiError {
  return error instanceof Error && error.name === 'ApiError';
}

export function invalidParameterValue(message: string): ApiError {
  return new ApiError('InvalidParameterValueException', message);
}

export function resourceConflict(message: string): ApiError {
  return new ApiError('ResourceConflictException', message);
}

/** A change that others overtook (serverless #4964, anomalyco/sst #6923: of functions and their policies). */
export function concurrentUpdate(): ApiError {
  return resourceConflict(
    'The function could not be updated due to a concurrent update operation.',
  );
}

export function resourceNotFound(message: string): ApiError {
  return new ApiError('ResourceNotFoundException', message);
}

export function preconditionFailed(message: string): ApiError {
  return new ApiError('PreconditionFailedException', message);
}

export function serviceError(cause?: unknown): ApiError {
  return new ApiError('ServiceException', 'An internal error occurred.', { cause });
}

/** Throttled. The body and Retry-After go together. */
export function tooManyRequests(
  reason: ThrottleReason,
  message: string,
  retryAfterSeconds = 1,
): ApiError {
  return new ApiError('TooManyRequestsException', message, {
    members: { Reason: reason, Type: 'User' },
    headers: { 'Retry-After': String(retryAfterSeconds) },
  });
}

/**
 * An invocation beyond a limit of concurrency or rate. Public reports show `Rate exceeded` for the
 * caller's limit (ShadowClone #25, #46) and `Rate Exceeded.` for those of functions.
 */
export function throttled(reason: ThrottleReason): ApiError {
  const message = reason === 'CallerRateLimitExceeded' ? 'Rate exceeded' : 'Rate Exceeded.';
  return tooManyRequests(reason, message);
}

/** The invoke payload is not JSON; `detail` is the parser's word. */
export function invalidRequestContent(detail: string): ApiError {
  return new ApiError(
    'InvalidRequestContentException',
    `Could not parse request body into json: Could not parse payload into json: ${detail}`,
  );
}

/** In the service's words (boto3 #2153). */
export function invalidClientContext(): ApiError {
  return new ApiError(
    'InvalidRequestContentException',
    'Client context must be a valid Base64-encoded JSON object.',
  );
}

/** A version is invoked whose snapshot is not there yet. */
export function snapStartNotReady(): ApiError {
  return new ApiError(
    'SnapStartNotReadyException',
    'Lambda is initializing your function. You can invoke the function when the function state becomes Active.',
  );
}

/** Restore took longer than it may. */
export function snapStartTimeout(): ApiError {
  return new ApiError(
    'SnapStartTimeoutException',
    "Lambda couldn't restore the snapshot within the timeout limit.",
  );
}

/** Code of the function failed on the way to its first event; the log has the details. */
export function snapStartFailed(what: 'Init' | 'afterRestore'): ApiError {
  const subject =
    what === 'Init' ? 'The initialization of the function' : 'The afterRestore() runtime hook';
  return new ApiError(
    'SnapStartException',
    `${subject} encountered an error. For more information, check the Amazon CloudWatch logs.`,
  );
}

/** Part of the service that Hearth does not have yet: HTTP 501 and its name. */
export function notImplemented(what: string): ApiError {
  return new ApiError('NotImplementedException', `${what} is not implemented yet.`);
}

export function codeStorageExceeded(): ApiError {
  return new ApiError('CodeStorageExceededException', 'Code storage limit exceeded.');
}

/** `arn` is what was asked for, with its qualifier if it had one. */
export function functionNotFound(arn: string): ApiError {
  return resourceNotFound(`Function not found: ${arn}`);
}

export function functionExists(name: string): ApiError {
  return resourceConflict(`Function already exist: ${name}`);
}

/** An invocation of a function that is not made yet, or whose making failed. */
export function functionInState(state: string): ApiError {
  return resourceConflict(
    `The operation cannot be performed at this time. The function is currently in the following state: ${state}`,
  );
}

/** A change of a function that is not made yet (a call of UpdateFunctionCode in 2026; iasql #1672). */
export function resourceInState(arn: string, state: string, reasonCode: string): ApiError {
  return resourceConflict(
    `The operation cannot be performed at this time. The resource ${arn} is currently in the following state: '${state}'. StateReasonCode: '${reasonCode}'`,
  );
}

export function updateInProgress(arn: string): ApiError {
  return resourceConflict(
    `The operation cannot be performed at this time. An update is in progress for resource: ${arn}`,
  );
}

/** HumanCellAtlas/data-store #929. */
export function aliasExists(arn: string): ApiError {
  return resourceConflict(`Alias already exists: ${arn}`);
}

/** As the Terraform provider looks for it. */
export function aliasNotFound(arn: string): ApiError {
  return resourceNotFound(`Cannot find alias arn: ${arn}`);
}

/** UpdateAlias has words of its own (apex/up #606). */
export function updatedAliasNotFound(arn: string): ApiError {
  return resourceNotFound(`Alias not found: ${arn}`);
}

/** Aliases keep a version from being deleted (go-lambda-cleanup #45). */
export function versionReferenced(aliasNames: readonly string[]): ApiError {
  return resourceConflict(
    `Unable to delete version because the following aliases reference it: [${aliasNames.join(', ')}]`,
  );
}

export function provisionedConfigNotFound(): ApiError {
  return new ApiError(
    'ProvisionedConcurrencyConfigNotFoundException',
    'No Provisioned Concurrency Config found for this function',
  );
}

/** terraform-provider-aws #12120; of an alias for $LATEST, too. */
export function unpublishedNotProvisionable(): ApiError {
  return invalidParameterValue(
    'Provisioned Concurrency Configs cannot be applied to unpublished function versions.',
  );
}

/** An alias for a version that has provisioned concurrency of its own cannot have any. */
export function versionAlreadyProvisioned(): ApiError {
  return resourceConflict(
    "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
  );
}

/** The other way round. */
export function versionProvisionedByAlias(): ApiError {
  return resourceConflict('Version is pointed by a Provisioned Concurrency alias');
}

/** A function names a layer version that is not there, or not any more (Klayers #76). */
export function layerVersionMissing(arn: string): ApiError {
  return invalidParameterValue(`Layer version ${arn} does not exist.`);
}

/** A permission of a layer version that is not there, in the words for functions that name one. */
export function layerVersionNotFound(arn: string): ApiError {
  return resourceNotFound(`Layer version ${arn} does not exist.`);
}

/** A scaling configuration of a function that runs on no capacity provider (cdkd #1616, a call of 2026). */
export function noCapacityProvider(): ApiError {
  return new ApiError(
    'AccessDeniedException',
    'The function provided by the arn does not contain a capacity provider configuration',
  );
}

/** What a request names by itself is not there (terraform-provider-aws #22681). */
export function requestedResourceNotFound(): ApiError {
  return resourceNotFound('The resource you requested does not exist.');
}

/** Operations that tell the RevisionId, by what has it. */
type RevisionSource = 'GetFunction/GetAlias' | 'GetPolicy' | 'GetResourcePolicy' | 'GetLayerPolicy';

export function revisionMismatch(source: RevisionSource = 'GetFunction/GetAlias'): ApiError {
  return preconditionFailed(
    `The Revision Id provided does not match the latest Revision Id. Call the ${source} API to retrieve the latest Revision Id`,
  );
}
