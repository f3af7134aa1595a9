/** Calls `visit` with each line of `text` (no line ending) and its number from 1. A last line without newline counts. */
export const eachLine = (text: string, visit: (line: string, number: number) => void): void => {
  let number = 0;
  for (let at = 0; at < text.length;) {
    const newline = text.indexOf('\n', at);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(at, end > at && text[end - 1] === '\r' ? end - 1 : end);
    visit(line, ++number);
    at = end + 1;
  }
};
