/** Tables of the console: those of everything that gives lines for people. */
export { pairs, table, type Align, type Column } from '../../replay/table.js';
