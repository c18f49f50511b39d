/**
 * What functions have of the account's concurrency for themselves: a function's reserve, or without
 * one the sum of its provisioned concurrency (guide pages 008, 019). In memory, fed by the change feed.
 */
import { aliasCollections, type ProvisionedRecord } from '../../model/alias.ts';
import { collections, type FunctionRecord } from '../../model/function.ts';
import type { Change } from '../../store/store.ts';
import type { Follower } from '../follow-together.ts';

interface Claim {
  reserved: number | undefined;
  /** By qualifier. */
  readonly provisioned: Map<string, number>;
}

export class ConcurrencyClaims implements Follower {
  readonly collections = [collections.function, aliasCollections.provisioned];
  readonly #claims = new Map<string, Claim>();
  #total = 0;

  /** All functions together. */
  get total(): number {
    return this.#total;
  }

  of(functionName: string): number {
    const claim = this.#claims.get(functionName);
    return claim?.reserved ?? this.provisioned(functionName);
  }

  /** Provisioned for one qualifier, or for all of the function's. */
  provisioned(functionName: string, qualifier?: string): number {
    const provisioned = this.#claims.get(functionName)?.provisioned;
    if (provisioned === undefined) return 0;
    if (qualifier !== undefined) return provisioned.get(qualifier) ?? 0;
    return [...provisioned.values()].reduce((sum, requested) => sum + requested, 0);
  }

  apply(change: Change): void {
    const { collection, partition, id } = change.type === 'put' ? change.document : change.key;
    const value = change.type === 'put' ? change.document.value : undefined;
    this.#change(partition, (claim) => {
      if (collection === collections.function) {
        claim.reserved = (value as FunctionRecord | undefined)?.reservedConcurrency;
      } else if (value === undefined) claim.provisioned.delete(id);
      else claim.provisioned.set(id, (value as ProvisionedRecord).requested);
    });
  }

  #change(functionName: string, change: (claim: Claim) => void): void {
    const before = this.of(functionName);
    const claim = this.#claims.get(functionName) ?? { reserved: undefined, provisioned: new Map() };
    change(claim);
    if (claim.reserved === undefined && claim.provisioned.size === 0) {
      this.#claims.delete(functionName);
    } else this.#claims.set(functionName, claim);
    this.#total += this.of(functionName) - before;
  }
}
