import { createRequire } from 'node:module';

type Validate = ((value: unknown) => boolean) & { readonly errors?: unknown };
interface Schemas {
  readonly compile: (schema: unknown) => Validate;
}

/** The JSON schema of SARIF 2.1.0 as Microsoft's SDK for SARIF carries it. */
export const sarifValidator = (): Validate => {
  const require = createRequire(import.meta.url);
  const { default: Ajv } = require('ajv-draft-04') as { default: new (options: object) => Schemas };
  const { default: addFormats } = require('ajv-formats') as { default: (to: Schemas) => void };
  const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
  addFormats(ajv);
  return ajv.compile(require('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json'));
};
