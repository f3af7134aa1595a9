/** Which trace: its number in this file, never used again after a removal, and its name, for messages. */
export interface TraceKey {
  readonly id: number;
  readonly name: string;
}
