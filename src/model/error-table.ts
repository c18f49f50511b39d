/**
 * Every error code that the API can answer with: status, side at fault and the casing of the body.
 *
 * The modelled exceptions come from the service model. Those that the model leaves out (errors of
 * the protocol, of authentication, and our own) are listed below with where their form is known from.
 */
import { assert } from '../base/assert.ts';
import { shapes, type Shape } from './service-model.ts';

export type ErrorOrigin = 'model' | 'protocol' | 'hearth';

export interface ErrorEntry {
  readonly code: string;
  readonly httpStatus: number;
  /** Who is to blame, as rendered in the body's `Type` member. */
  readonly fault: 'User' | 'Service';
  readonly messageMember: 'Message' | 'message';
  /** Whether the body has a `Type` member. */
  readonly hasType: boolean;
  /** Body members beside `Type` and the message. */
  readonly bodyMembers: readonly string[];
  /** Members sent as response headers: member name to header name. */
  readonly headerMembers: ReadonlyMap<string, string>;
  readonly origin: ErrorOrigin;
}

function modelledEntry(shape: Shape): ErrorEntry {
  const { error } = shape;
  assert(error !== undefined, `${shape.name} is not an exception`);
  const names = shape.members.map((member) => member.name);
  const messageMember = names.includes('Message') ? 'Message' : 'message';
  assert(names.includes(messageMember), `${shape.name} has no message member`);
  const inHeader = shape.members.filter((member) => member.location === 'header');
  return {
    code: shape.name,
    httpStatus: error.httpStatus,
    fault: error.isFault ? 'Service' : 'User',
    messageMember,
    hasType: names.includes('Type'),
    bodyMembers: shape.members
      .filter((member) => member.location === 'body')
      .map((member) => member.name)
      .filter((name) => name !== 'Type' && name !== messageMember),
    headerMembers: new Map(inHeader.map((member) => [member.name, member.wireName])),
    origin: 'model',
  };
}

function commonEntry(
  code: string,
  httpStatus: number,
  messageMember: ErrorEntry['messageMember'],
  options: { readonly hasType?: boolean; readonly origin?: ErrorOrigin } = {},
): ErrorEntry {
  return {
    code,
    httpStatus,
    fault: httpStatus >= 500 && options.origin !== 'hearth' ? 'Service' : 'User',
    messageMember,
    hasType: options.hasType ?? false,
    bodyMembers: [],
    headerMembers: new Map(),
    origin: options.origin ?? 'protocol',
  };
}

/**
 * Forms seen in public reports of real answers: the signature and token errors carry `message`
 * (aws-sdk-php and aws-sdk-js issues), an authorization refusal carries `Message` alone
 * (LambdAuth #37), an oversized body is RequestEntityTooLargeException and not the modelled
 * RequestTooLargeException (aws-sdk #45, hyp3 #2241).
 */
const commonEntries: readonly ErrorEntry[] = [
  commonEntry('AccessDeniedException', 403, 'Message'),
  commonEntry('ExpiredTokenException', 403, 'message'),
  commonEntry('IncompleteSignatureException', 400, 'message'),
  commonEntry('InvalidSignatureException', 403, 'message'),
  commonEntry('MissingAuthenticationTokenException', 403, 'message'),
  commonEntry('RequestEntityTooLargeException', 413, 'message', { hasType: true }),
  commonEntry('SerializationException', 400, 'message'),
  commonEntry('ServiceUnavailableException', 503, 'message'),
  commonEntry('UnrecognizedClientException', 403, 'message'),
  commonEntry('ValidationException', 400, 'message'),
  commonEntry('NotImplementedException', 501, 'Message', { hasType: true, origin: 'hearth' }),
];

const modelledEntries = [...shapes.values()]
  .filter((shape) => shape.error !== undefined)
  .map(modelledEntry);

/** By code, sorted by code. */
export const errorTable: ReadonlyMap<string, ErrorEntry> = new Map(
  [...modelledEntries, ...commonEntries]
    .toSorted((left, right) => (left.code < right.code ? -1 : 1))
    .map((entry) => [entry.code, entry]),
);
