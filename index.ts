/** What `import … from 'pagetrail'` gives. */
export { KINDS, type Event, type EventKind, type EventOf } from './core/event/event.js';
export { Origin, ORIGINS, type Common, type Field, type Kind, type Words } from './core/event/kind.js';
export { CONTENT_CLASSES, ContentClass, PageContent } from './core/memory/content.js';
export { evolve, evolveAll } from './core/memory/evolve.js';
export { factsOf } from './core/memory/facts.js';
export {
  Memory,
  nothing,
  type Area,
  type KernelSymbol,
  type Pack,
  type Program,
  type ProgramState,
} from './core/memory/memory.js';
export { decodeMemory, encodeMemory } from './core/memory/snapshot.js';
export { Address, PAGE_SIZE, pageNumber, pageText, type PageNumber } from './core/value/address.js';
export type { Brand } from './core/value/brand.js';
export { fail, ok, type Failure, type Result } from './core/value/failure.js';
export { Prot } from './core/value/prot.js';
export { Word } from './core/value/words.js';
export { RULES } from './core/audit/rules.js';
export {
  always,
  type Audit,
  type Rule,
  type Subject as AuditSubject,
  type Watch,
} from './core/audit/rule.js';
export type { Evidence, Finding, Severity, Verdict } from './core/audit/finding.js';
export { auditSubject, auditTrace, type AuditOptions } from './replay/audit/audit.js';
export type { AuditReport, ReportedFinding, ReportedPattern } from './replay/audit/report.js';
export { violations, violationsIn } from './replay/audit/violations.js';
export { compareLongTraces, type LongOptions } from './replay/compareLongTraces.js';
export { compareTraces, type TraceComparison } from './replay/compareTraces.js';
export { comparisonLines, type ComparisonLines } from './replay/compareLines.js';
export { cursorOn, type Cursor, type CursorMoment } from './replay/cursor.js';
export { applyDiff, diffStates, isEmptyDiff, reverseDiff, type MemoryDiff } from './replay/diffStates.js';
export { must, PagetrailError } from './replay/failed.js';
export { bisect, type Bisected } from './replay/bisect.js';
export { firstChange, history, lastChange, type HistoryItem } from './replay/history.js';
export type { Oops } from './core/oops/oops.js';
export { postMortem, type PostMortem } from './replay/postmortem/postmortem.js';
export { open, type OpenLog, type OpenTrace } from './replay/library.js';
export {
  logOn,
  openLog,
  type At,
  type BatchOptions,
  type Log,
  type Moment,
  type TraceView,
} from './replay/log.js';
export { MemoryView, memoryView, type AnyAddress, type PageView } from './replay/memoryView.js';
export { parseMoment, parseWhere, whereText, type Where, type WrittenMoment } from './replay/moments.js';
export { shownDiff, type ShownDiff } from './replay/shownDiff.js';
export { stateOf, type State } from './replay/state.js';
export { eventsOf, replay, type EventOptions, type Played } from './replay/stream.js';
export { Style } from './replay/style.js';
export { subjectOf, type Subject } from './replay/subjects.js';
export { why, type Why } from './replay/why.js';
export type { TraceInfo } from './store/index.js';
