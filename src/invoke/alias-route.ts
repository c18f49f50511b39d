/** Where an alias leads: to one version, or to a second one for a share of the invocations. */
import type { Random } from '../base/random.ts';
import type { AliasRecord } from '../model/alias.ts';

export interface AliasRoute {
  /** '$LATEST' or a number. */
  readonly version: string;
  /** The version that gets the share; undefined without weights. */
  readonly additionalVersion: string | undefined;
  /** From 0 (none of the invocations) to 1 (all of them). */
  readonly additionalShare: number;
}

export function aliasRoute({ configuration }: AliasRecord): AliasRoute {
  const { FunctionVersion: version, RoutingConfig } = configuration;
  const [weight] = Object.entries(RoutingConfig?.AdditionalVersionWeights ?? {});
  return { version, additionalVersion: weight?.[0], additionalShare: weight?.[1] ?? 0 };
}

/** The version for one invocation: each is drawn anew, whatever became of those before. */
export function drawVersion(route: AliasRoute, random: Random): string {
  const { version, additionalVersion, additionalShare } = route;
  if (additionalVersion === undefined) return version;
  return random.fraction() < additionalShare ? additionalVersion : version;
}
