import type { Signature, ValueForm } from './line.js';

/** More signatures, or more bytes of names, than any set of probes has: what comes after is not interned. */
const MOST = 65536;
const MOST_BYTES = 8 * 1024 * 1024;

/** Interns signatures, in the order in which they occur. */
export class SignatureTable {
  readonly #known = new Map<string, Signature>();
  #bytes = 0;

  /** The one signature of these names and forms; null when the table is full. */
  of(names: readonly string[], forms: readonly ValueForm[]): Signature | null {
    let key = '';
    for (let i = 0; i < names.length; i++) key += `${names[i]} ${forms[i]} `;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size >= MOST || this.#bytes + key.length > MOST_BYTES) return null;
    const text = forms.map((form) => form === 'quoted' || form === 'bare');
    const signature = { id: this.#known.size, names: [...names], forms: [...forms], text };
    this.#known.set(key, signature);
    this.#bytes += key.length;
    return signature;
  }
}
