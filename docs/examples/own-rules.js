// Rules of your own for `pagetrail audit TRACE --rules own-rules.js`.
export const rules = [
  {
    id: 'HUGE-POKE',
    title: 'no text copy is longer than a page',
    severity: 'warning',
    rationale: 'A long copy holds text_mutex for long.',
    watch: (audit) => ({
      after: {
        copied: (event) => {
          audit.checked(event);
          if (event.length <= 4096) return;
          audit.report({
            pattern: 'a text copy is longer than a page',
            message: `${event.length} bytes were copied at once`,
            start: event.to,
            bytes: event.length,
            space: 'virtual',
            from: event.seq,
            to: event.seq,
            evidence: [{ seq: event.seq, shows: 'copied them' }],
            failures: [],
          });
        },
      },
    }),
  },
];
