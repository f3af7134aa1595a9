/** Root calls as they are read: numbers and texts in slots, everything else in shapes. They come in batches, which can be sent from one thread to another. */
import type { Shape } from './shape.js';

/** How often something was met that is not compared. */
export interface ReadCounts {
  /** Root calls of others. */
  foreign: number;
  /** Places where events were lost. */
  gaps: number;
  /** Lines where model and recording disagreed: what follows in that call is not fully known. */
  divergences: number;
}

/** What happened to the direct map in a root call: steps depend on which frames there are, so only sums count. */
export interface AliasSums {
  /** Pages by what was set and cleared. */
  readonly pages: Map<string, number>;
  /** Events of splits of large leaves. */
  readonly splits: number[];
  /** Changes of pages in regions that were small before this call. */
  small: number;
  /** Event of the first step; null: none. */
  first: number | null;
}

/** Numbers of a root call in its batch's table; texts are places in its texts. */
export const Row = {
  shape: 0,
  slots: 1,
  texts: 2,
  task: 3,
  /** Number and text of what was going on; 0: nothing was before. */
  during: 4,
  duringText: 5,
  /** 1: its own task wrote that marker, or began that operation. */
  isOwn: 6,
  /** Name of the program it is about; empty where nothing tells. */
  program: 7,
  last: 8,
  /** Numbers of the programs it is about: how many, and where they begin. */
  programs: 9,
  firstProgram: 10,
} as const;
export const ROW = 11;

/** Root calls that ended while a stretch of a log was read, in the order of their ends. */
export interface Batch {
  /** Shapes not told before, by their numbers. A new round begins their numbers anew. */
  readonly round: number;
  readonly shapes: readonly (readonly [id: number, shape: Shape])[];
  readonly roots: number;
  readonly table: Float64Array;
  readonly slots: Float64Array;
  readonly texts: readonly string[];
  readonly programs: readonly number[];
  /** Of root calls that changed the direct map, by their place in the batch. */
  readonly alias: readonly (readonly [root: number, sums: AliasSums])[];
  /** So far. */
  readonly counts: ReadCounts;
  /** Number of the last event read. */
  readonly seq: number;
}
