/** What `import … from 'pagetrail'` gives. */
export { Address, PAGE_SIZE, pageNumber, pageText, type PageNumber } from './core/value/address.js';
export type { Brand } from './core/value/brand.js';
export { fail, ok, type Failure, type Result } from './core/value/failure.js';
export { Word } from './core/value/words.js';
