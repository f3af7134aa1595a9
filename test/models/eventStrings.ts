/**
 * The table of kernel-model.md §2.9, with what its cells leave to the row above ("same", "…") written out. N = nodes, s = size rounded to 64,
 * P = size rounded to pages; `!` = the result is checked; `{…}` under pack_mutex. The second half of a row is what is left out of it: the trial allocation of
 * the first load, and the area larger than a pack that is freed.
 */
export interface EventStrings {
  readonly kernels: readonly string[];
  /** (a) load, room in a pack. */
  readonly room: string;
  /** (b) load, no room. */
  readonly full: string;
  /** (c) load, larger than a pack. */
  readonly larger: string;
  /** (d) free one. */
  readonly one: string;
  /** (e) free the last of a pack. */
  readonly last: string;
  /** The predictor flush is in use, and the programs are classic. */
  readonly flushing?: true;
}

const ROOM = 'CH(s) {B+} RW ST CP(s) PUB';
const ONE = 'UNP {INV(s) B−} UC(s)';
const LAST = 'UNP {INV(s) B− L− VF KF} UC(s)';
const KEPT_ONE = 'UNP {B−} UC(s)';
const KEPT_LAST = 'UNP {B− L− VF KF} UC(s)';
const OWN = 'CH(P) VA(P) FILL ST FL RO X PUB';

export const EVENT_STRINGS: readonly EventStrings[] = [
  {
    kernels: ['5.10', '5.17'],
    room: OWN,
    full: OWN,
    larger: OWN,
    one: 'UNP VF UC(P)',
    last: 'UNP VF UC(P)',
  },
  {
    kernels: ['5.18-rc3'],
    room: ROOM,
    full: 'CH(s) {KZ VA(2M·N, 2M leafs) L+ FL RO(512N) X(512N) B+} RW ST CP(s) PUB',
    larger: 'CH(s) {VA(P) FL RO X} RW ST CP(s) PUB',
    one: KEPT_ONE,
    last: KEPT_LAST,
  },
  {
    kernels: ['5.18-rc5'],
    room: ROOM,
    full: 'CH(s) {KZ VA(4096) L+ FL RO(1) X(1) B+} RW ST CP(s) PUB',
    larger: 'CH(s) {VA(P) FL RO X} RW ST CP(s) PUB',
    one: KEPT_ONE,
    last: KEPT_LAST,
  },
  {
    kernels: ['5.18.2', '5.18.18'],
    room: ROOM,
    full: 'CH(s) {KZ VA(4096) FILL L+ FL RO(1) X(1) B+} RW ST CP(s) PUB',
    larger: 'CH(s) {VA(P) FILL FL RO X} RW ST CP(s) PUB',
    one: KEPT_ONE,
    last: KEPT_LAST,
  },
  {
    kernels: ['5.18-rc5-packv2', '5.19', '5.19.2'],
    room: ROOM,
    full: 'CH(s) {KZ VA(4096) FILL L+ FL RO(1) X(1) B+} RW ST CP(s) PUB',
    larger: 'CH(s) {VA(P) FILL FL RO X} RW ST CP(s) PUB',
    one: ONE,
    last: LAST,
  },
  {
    kernels: ['6.0', '6.1.0', '6.1'],
    room: ROOM,
    full: 'CH(s) {KZ VA(2M·N, 4K) FILL L+ FL RO(512N) X(512N) B+} RW ST CP(s) PUB',
    larger: 'CH(s) {VA(P) FILL FL RO X} RW ST CP(s) PUB',
    one: ONE,
    last: LAST,
  },
  {
    kernels: ['6.2', '6.3', '6.5', '6.6', '6.8', '6.9'],
    room: ROOM,
    full: 'CH(s) {KZ VA(2M·N, 4K) FILL L+ FL ROX(512N) B+} RW ST CP(s) PUB',
    larger: 'CH(s) {VA(P) FILL FL ROX} RW ST CP(s) PUB',
    one: ONE,
    last: LAST,
  },
  {
    kernels: ['6.10', '6.11', '6.12.0', '6.13', '6.15', '6.16', '6.19'],
    room: ROOM,
    full: 'CH(s) {KZ VA(2M·N, 4K) FILL FL ROX(512N)! L+ B+} RW ST CP(s) PUB',
    larger: 'CH(s) {VA(P) FILL FL ROX!} RW ST CP(s) PUB',
    one: ONE,
    last: LAST,
  },
  {
    kernels: ['6.12', '7.1', '7.2'],
    flushing: true,
    room: 'CH(s) {[IBPB] B+} RW ST CP(s) PUB',
    full: 'CH(s) {KZ VA(2M·N, 4K) FILL FL ROX(512N)! L+ [IBPB] B+} RW ST CP(s) PUB',
    larger: 'CH(s) {WARN VA(P) FILL FL ROX!} RW ST CP(s) PUB',
    one: 'UNP {INV(s) B− dirty=1} UC(s)',
    last: 'UNP {INV(s) B− dirty=1 L− VF KF} UC(s)',
  },
];

/** What leaves no event: the struct of a pack, and the stores of the JIT into its buffer. */
export const visible = (text: string): string =>
  text
    .replace(/\b(KZ|KF) ?/g, '')
    .replaceAll('RW ST', 'RW')
    .replace(/\{ /g, '{')
    .replace(/ \}/g, '}');
