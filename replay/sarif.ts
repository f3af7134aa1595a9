/** What every SARIF 2.1.0 log (OASIS) of pagetrail has around its results: one run on one file. */
const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';

export interface SarifRun {
  readonly tool: { readonly name: string; readonly version: string; readonly rules: readonly object[] };
  readonly exitCode: number;
  /** What a reader has to know before the results: losses, disagreements. */
  readonly warnings: readonly string[];
  /** The file that was looked at, as a URI, and what it is. */
  readonly file: { readonly uri: string; readonly about: string };
  readonly results: readonly object[];
  readonly properties: object;
}

export const sarifLog = ({ tool, exitCode, warnings, file, results, properties }: SarifRun) => ({
  $schema: SCHEMA,
  version: '2.1.0',
  runs: [
    {
      tool: { driver: tool },
      invocations: [
        {
          executionSuccessful: true,
          exitCode,
          ...(warnings.length === 0
            ? {}
            : {
                toolExecutionNotifications: warnings.map((text) => ({ level: 'warning', message: { text } })),
              }),
        },
      ],
      artifacts: [
        { location: { uri: file.uri }, roles: ['analysisTarget'], description: { text: file.about } },
      ],
      results,
      columnKind: 'utf16CodeUnits',
      properties,
    },
  ],
});
