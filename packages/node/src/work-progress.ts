/** How far long work has come: bytes, or znodes, of one of its steps. */
export interface WorkProgress {
  readonly step: 'read' | 'write';
  readonly done: number;
  /** Undefined where nobody knows. */
  readonly total: number | undefined;
  readonly unit: 'bytes' | 'znodes';
}

/** Called as often as there is news; whoever shows it decides how often. */
export type OnProgress = (progress: WorkProgress) => void;
