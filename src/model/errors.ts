/**
 * API errors: the modelled exceptions, the first of the four error families (ADR 0010).
 *
 * A code's HTTP status, fault side and body members come from the service model, the one source of
 * truth for wire shapes; `api/` renders them. Factories below hold each message text once.
 */

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

export function resourceNotFound(message: string): ApiError {
  return new ApiError('ResourceNotFoundException', message);
}

export function preconditionFailed(message: string): ApiError {
  return new ApiError('PreconditionFailedException', message);
}

export function serviceError(cause?: unknown): ApiError {
  return new ApiError('ServiceException', 'An internal error occurred.', { cause });
}
