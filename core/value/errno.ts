/** Error numbers of Linux, by name (include/uapi/asm-generic/errno*.h; ENOTSUPP is the kernel's own). */
const NUMBERS = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  ENOEXEC: 8,
  EBADF: 9,
  ECHILD: 10,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  EFBIG: 27,
  ENOSPC: 28,
  EROFS: 30,
  EDOM: 33,
  ERANGE: 34,
  EDEADLK: 35,
  ENOSYS: 38,
  EOVERFLOW: 75,
  EOPNOTSUPP: 95,
  ETIMEDOUT: 110,
  ENOTSUPP: 524,
} as const;

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(NUMBERS).map(([name, number]) => [number, name]),
);

/** The largest number that a kernel pointer can carry as an error. */
export const MAX_ERRNO = 4095;

export const Errno = Object.freeze({
  names: Object.keys(NUMBERS),
  /** `-ENOMEM` for −12; `-4000` for one without a known name. */
  toText: (errno: number): string => `-${NAMES.get(-errno) ?? -errno}`,
  /** A (negative) errno by name or number: `-ENOMEM`, `-12`. Null: there is none of that name, or it is out of range. */
  parse: (text: string): number | null => {
    const match = /^-(?:(\d{1,4})|(E[A-Z0-9]+))$/.exec(text);
    if (match === null) return null;
    const number = match[1] === undefined ? NUMBERS[match[2] as keyof typeof NUMBERS] : Number(match[1]);
    return number === undefined || number < 1 || number > MAX_ERRNO ? null : -number;
  },
});
