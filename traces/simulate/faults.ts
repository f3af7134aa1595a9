/** Faults as they are written on a command line: `CALL[:NTH][@MARKER]=-ERRNO`. */
import { FALLIBLE, type Fault } from '../../core/driver/emulate/faults.js';
import { Errno } from '../../core/value/errno.js';
import { fail, ok, type Result } from '../../core/value/failure.js';
import type { Workload } from '../../core/workload/workload.js';
import { nearNames } from '../../store/index.js';

const FORM = /^([^:@=]+)(?::([^@=]*))?(?:@(.*))?=([^=]*)$/;

const bad = (what: string, text: string, hint: string): Result<never> =>
  fail('bad-fault', what, `--fail ${text}`, hint);

const meant = (name: string, names: readonly string[], otherwise: string): string => {
  const near = nearNames(name, names);
  return near.length > 0 ? `did you mean ${near.join(' or ')}?` : otherwise;
};

/** What an operation is called by: the text of a marker, or what was written just before it. */
const markersOf = (workload: Workload): { readonly text: string; readonly operation: number }[] =>
  workload.operations.flatMap((operation, i) => {
    const text = operation.op === 'marker' ? operation.text : operation.mark;
    return text === undefined ? [] : [{ text, operation: i + 1 }];
  });

const SHORT = /^phase: /;

/** The operation that a marker names: its whole text, its text after `phase: `, or a beginning that fits one marker only. A number is an operation. */
const operationAt = (where: string, workload: Workload, text: string): Result<number> => {
  const last = workload.operations.length;
  if (/^\d+$/.test(where)) {
    const number = Number(where);
    return number >= 1 && number <= last
      ? ok(number)
      : bad(
          `there is no operation ${where}`,
          text,
          last === 0 ? 'the workload has none' : `the workload has operations 1 to ${last}`,
        );
  }
  const name = where.replace(/^#/, '');
  const markers = markersOf(workload);
  const same = markers.filter((one) => one.text === name || one.text.replace(SHORT, '') === name);
  const found =
    same.length > 0
      ? same
      : name === ''
        ? []
        : markers.filter((one) => one.text.startsWith(name) || one.text.replace(SHORT, '').startsWith(name));
  if (found.length === 1) return ok((found[0] as { operation: number }).operation);
  if (found.length > 1)
    return bad(
      `${JSON.stringify(name)} fits ${found.length} markers`,
      text,
      `name the operation by its number: ${found
        .slice(0, 5)
        .map((one) => `@${one.operation}`)
        .join(', ')}`,
    );
  const names = markers.map((one) => one.text.replace(SHORT, ''));
  return bad(
    `there is no marker ${JSON.stringify(name)} in the workload`,
    text,
    meant(
      name,
      names,
      names.length === 0
        ? 'it has none; name an operation by its number, as @3'
        : `it has ${names.slice(0, 8).join(', ')}; an operation can be named by its number, as @3`,
    ),
  );
};

/** Reads one fault; markers are those of the workload. */
export const parseFault = (text: string, workload: Workload): Result<Fault> => {
  const form = FORM.exec(text);
  if (form === null)
    return bad(
      'this is no fault',
      text,
      'write CALL[:NTH][@MARKER]=-ERRNO, as bpf_arch_text_copy:2=-EINVAL or kvmalloc:*@loaded8=-ENOMEM',
    );
  const [, fn = '', nth, where, errno = ''] = form;
  if (!FALLIBLE.includes(fn))
    return bad(`${fn} cannot be made to fail`, text, meant(fn, FALLIBLE, `one of ${FALLIBLE.join(', ')}`));
  if (nth !== undefined && nth !== '*' && !/^[1-9]\d{0,8}$/.test(nth))
    return bad(
      `${JSON.stringify(nth)} is no number of a call`,
      text,
      'calls are counted from 1; * is each call',
    );
  const number = Errno.parse(errno);
  if (number === null)
    return bad(
      `${JSON.stringify(errno)} is no errno`,
      text,
      meant(
        errno.replace(/^-/, ''),
        Errno.names,
        'write -ENOMEM, -EINVAL, -ENOTSUPP, … or a number from -1 to -4095',
      ).replace(/\b(E[A-Z0-9]+)(?=\?| or)/g, '-$1'),
    );
  const from = where === undefined ? ok(0) : operationAt(where, workload, text);
  return from.ok
    ? ok({ fn, nth: nth === '*' ? null : Number(nth ?? 1), from: from.value, errno: number })
    : from;
};

/** Reads all of them; the first that is wrong is told. */
export const parseFaults = (texts: readonly string[], workload: Workload): Result<readonly Fault[]> => {
  const faults: Fault[] = [];
  for (const text of texts) {
    const fault = parseFault(text, workload);
    if (!fault.ok) return fault;
    faults.push(fault.value);
  }
  return ok(faults);
};
