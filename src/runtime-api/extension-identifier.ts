/** The header by which a registered extension says which one it is. */
import { refuse, type Exchange } from './http-exchange.ts';

/** In the answer to Register, and in every later request. */
export const identifierHeader = 'Lambda-Extension-Identifier';

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The identifier in lower case; null when there is none of the right form, and the request has been
 * answered 403.
 */
export function readIdentifier(exchange: Exchange): string | null {
  const identifier = exchange.request.headers[identifierHeader.toLowerCase()];
  if (typeof identifier !== 'string' || identifier === '') {
    refuse(exchange, 403, {
      errorType: 'Extension.MissingExtensionIdentifier',
      errorMessage: `Missing ${identifierHeader} header`,
    });
    return null;
  }
  if (!uuidPattern.test(identifier)) {
    refuse(exchange, 403, {
      errorType: 'Extension.InvalidExtensionIdentifier',
      errorMessage: `Invalid ${identifierHeader}`,
    });
    return null;
  }
  return identifier.toLowerCase();
}
