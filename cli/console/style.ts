/** How the console dresses texts: as everything does that gives lines for people. */
export { Style, width } from '../../replay/style.js';
