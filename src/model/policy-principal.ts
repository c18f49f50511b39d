/**
 * Whom a policy may name: services, accounts, and users, roles and sessions of accounts. Only the form
 * is checked: there is no IAM here that would know which of them exist.
 */
import type { Identity } from './arn.ts';
import { invalidPrincipal, malformedPrincipalArn } from './policy-errors.ts';

/** A domain below one of the provider's: 's3.amazonaws.com', 'alexa-appkit.amazon.com'. */
const servicePattern =
  /^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|amazon\.com)$/u;

const accountPattern = /^\d{12}$/u;

const arnPattern = new RegExp(
  '^arn:aws[a-z-]*:(?:iam::\\d{12}:(?:root|(?:user|role)/[\\w+=,.@/-]+)|' +
    'sts::\\d{12}:(?:assumed-role|federated-user)/[\\w+=,.@/-]+)$',
  'u',
);

export function isServicePrincipal(principal: string): boolean {
  return servicePattern.test(principal);
}

/** Everybody, an account by its number, or one of its principals by ARN. */
export function isAwsPrincipal(principal: string): boolean {
  return principal === '*' || accountPattern.test(principal) || arnPattern.test(principal);
}

/**
 * A statement's Principal for the one that a request names, an account by its root ARN. Throws
 * InvalidParameterValueException for text that names none.
 */
export function renderPrincipal(
  principal: string,
  { partition = 'aws' }: Identity,
): '*' | { readonly AWS: string } | { readonly Service: string } {
  if (principal === '*') return '*';
  if (accountPattern.test(principal)) return { AWS: `arn:${partition}:iam::${principal}:root` };
  if (arnPattern.test(principal)) return { AWS: principal };
  if (isServicePrincipal(principal)) return { Service: principal };
  throw principal.startsWith('arn:') ? malformedPrincipalArn(principal) : invalidPrincipal();
}
