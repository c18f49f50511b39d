/**
 * Keeps web pages in the user's browser away from a server that asks for no credentials: a page can
 * reach any loopback port, directly or by pointing a name of its own at 127.0.0.1 (DNS rebinding).
 */
import type { IncomingHttpHeaders } from 'node:http';
import { ApiError } from '../model/errors.ts';

/** The error to answer with, or undefined when the request may pass. */
export type BrowserDefence = (headers: IncomingHttpHeaders) => ApiError | undefined;

/** The name in a Host header, without port, in lower case; IPv6 keeps its brackets. */
function hostName(host: string): string {
  const match = /^(\[[0-9a-f:.]*\]|[^:]*)(?::[0-9]*)?$/i.exec(host);
  return (match?.[1] ?? '').toLowerCase();
}

function isLoopbackName(name: string): boolean {
  if (name === 'localhost' || name.endsWith('.localhost') || name === '[::1]') return true;
  const octets = /^127\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})$/.exec(name);
  return octets !== null && octets.slice(1).every((octet) => Number(octet) <= 255);
}

function refused(message: string): ApiError {
  return new ApiError('AccessDeniedException', message);
}

/** Names seen before are remembered: clients use very few, and the bound keeps liars out of it. */
const acceptedHostsMax = 64;

export function createBrowserDefence(): BrowserDefence {
  const acceptedHosts = new Set<string>();
  return ({ host, origin }) => {
    if (host === undefined || !acceptedHosts.has(host)) {
      if (host === undefined || host.length > 1024 || !isLoopbackName(hostName(host))) {
        return refused('The Host of this request is not a loopback name.');
      }
      if (acceptedHosts.size < acceptedHostsMax) acceptedHosts.add(host);
    }
    if (origin !== undefined && origin !== `http://${host}`) {
      return refused('This request comes from a web page of another origin.');
    }
    return undefined;
  };
}
