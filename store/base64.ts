/** The bytes of a base64 text (RFC 4648 §4), null when it is not exactly the text that these bytes have. */
export function parseBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}

export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
