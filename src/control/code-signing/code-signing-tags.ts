/** Tags of code signing configurations. */
import { taggedDocument, type TaggedKind } from '../tags/tagged-kind.ts';
import { requireCodeSigningConfig } from './code-signing-documents.ts';

export const codeSigningTags: TaggedKind = {
  arnPattern: /^arn:[^:]*:lambda:[^:]*:[^:]*:code-signing-config:/,

  async find(context, arn) {
    return taggedDocument(await requireCodeSigningConfig(context, arn));
  },
};
