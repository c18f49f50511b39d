/** How a mapping gets at its source: which SourceAccessConfigurations a kind may have, and how many. */
import { invalidParameterValue } from '../../model/errors.ts';
import type { SourceAccessType } from '../../model/generated/api-types.ts';
import type { MappingSettings, SourceRules } from './source-rules.ts';

/** Ways to authenticate, of which a mapping has one at most. */
const authentication: readonly SourceAccessType[] = [
  'BASIC_AUTH',
  'SASL_SCRAM_256_AUTH',
  'SASL_SCRAM_512_AUTH',
  'CLIENT_CERTIFICATE_TLS_AUTH',
];
/** Subnets and groups come together, and there may be several of each. */
const network: readonly SourceAccessType[] = ['VPC_SUBNET', 'VPC_SECURITY_GROUP'];

export function checkAccess(
  { accessTypes = [], accessRequired }: SourceRules,
  { SourceAccessConfigurations: entries = [] }: MappingSettings,
): void {
  const types = entries.map(({ Type, URI }) => {
    if (Type === undefined || URI === undefined) {
      throw invalidParameterValue('Every source access configuration needs a Type and a URI.');
    }
    if (!accessTypes.includes(Type)) {
      throw invalidParameterValue(
        `Unsupported source access configuration '${Type}' for given event source mapping type.`,
      );
    }
    return Type;
  });
  checkNumbers(types);
  if (accessRequired !== undefined && !types.includes(accessRequired)) {
    throw invalidParameterValue(
      `Required source access configuration '${accessRequired}' is missing.`,
    );
  }
}

function checkNumbers(types: readonly SourceAccessType[]): void {
  const single = types.filter((type) => !network.includes(type));
  const twice = single.find((type, index) => single.indexOf(type) !== index);
  if (twice !== undefined) {
    throw invalidParameterValue(`Only one source access configuration may be '${twice}'.`);
  }
  if (types.filter((type) => authentication.includes(type)).length > 1) {
    throw invalidParameterValue('Only one source access configuration may authenticate.');
  }
  const parts = network.filter((type) => types.includes(type));
  if (parts.length === 1) {
    throw invalidParameterValue(
      `Source access configurations need both ${network.join(' and ')}, or neither.`,
    );
  }
}
