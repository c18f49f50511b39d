/** What an operation's handler gets and gives: the seam between the wire and the planes behind it. */
import type { IncomingHttpHeaders } from 'node:http';
import type { ApiOperationName, ApiOperations } from '../model/generated/api-types.ts';

export interface RequestContext {
  /** x-amzn-RequestId of this API call. */
  readonly requestId: string;
  /** Where this server was reached, for links in answers: 'http://HOST:PORT'. */
  readonly baseUrl: string;
  readonly headers: IncomingHttpHeaders;
}

/** A blob that is the HTTP payload may be given as a stream; it is sent as it comes. */
type Streamable<Output> = {
  [Member in keyof Output]: Output[Member] extends Uint8Array | undefined
    ? Output[Member] | AsyncIterable<Uint8Array>
    : Output[Member];
};

export type OperationHandler<Name extends ApiOperationName> = (
  input: ApiOperations[Name]['input'],
  context: RequestContext,
) => Promise<Streamable<ApiOperations[Name]['output']>>;

/** An operation without a handler answers 501 with its name. */
export type OperationHandlers = { readonly [Name in ApiOperationName]?: OperationHandler<Name> };
