/** Passes on what the servers and their disks do: to the trace, to the checkers, and to the counters of what was seen. */
import { InvariantError } from '@quorate/protocol';
import type { Effect, Input, Sid, Snapshot, StoredImage, WireViolation } from '@quorate/zab';
import type { Verdict } from '../check/verdict.js';
import type { ZabChecker } from '../check/zab-checker.js';
import type { Trace } from '../trace/trace.js';
import type { DiskOrder } from '../world/disk-content.js';
import { DiskError } from '../world/sim-disk.js';
import type { SpoilFault } from '../world/spoil.js';
import type { EnsembleObserver } from './sim-ensemble.js';
import type { Sometimes } from './sometimes.js';

export class EnsembleRecorder implements EnsembleObserver {
  readonly #trace: Trace;
  readonly #checker: ZabChecker;
  readonly #sometimes: Sometimes;
  readonly #verdict: Verdict;
  readonly #onEffect: (sid: Sid, effect: Effect) => void;
  /** Whether byte channels keep their contract, so that whatever is found on them is a false alarm. */
  readonly #channelsAreLegal: boolean;
  /** Learners between NEWLEADER and UPTODATE. */
  readonly #synchronizing = new Set<Sid>();

  constructor(options: {
    readonly trace: Trace;
    readonly checker: ZabChecker;
    readonly sometimes: Sometimes;
    readonly verdict: Verdict;
    /** Sees every effect after the checkers have. */
    readonly onEffect: (sid: Sid, effect: Effect) => void;
    readonly channelsAreLegal: boolean;
  }) {
    this.#trace = options.trace;
    this.#checker = options.checker;
    this.#sometimes = options.sometimes;
    this.#verdict = options.verdict;
    this.#onEffect = options.onEffect;
    this.#channelsAreLegal = options.channelsAreLegal;
  }

  onInput(sid: Sid, input: Input): void {
    this.#trace.onInput(sid, input);
    this.#checker.onInput(sid, input);
    if (input.type !== 'leaderMessage') return;
    const { type } = input.message;
    if (type === 'NEWLEADER') this.#synchronizing.add(sid);
    else if (type === 'UPTODATE') this.#synchronizing.delete(sid);
    else if (type === 'COMMIT' && this.#synchronizing.has(sid)) this.#sometimes.note('commit between NEWLEADER and UPTODATE');
  }

  onEffect(sid: Sid, effect: Effect): void {
    this.#trace.onEffect(sid, effect);
    this.#noteEffect(sid, effect);
    this.#checker.onEffect(sid, effect);
    this.#onEffect(sid, effect);
  }

  /** Before the checkers have seen it. */
  #noteEffect(sid: Sid, effect: Effect): void {
    if (effect.type === 'sendToLearner') {
      const { type } = effect.message;
      if (type === 'DIFF') this.#sometimes.note('DIFF sent');
      else if (type === 'TRUNC') this.#sometimes.note('TRUNC sent');
      else if (type === 'SNAP') this.#sometimes.note('SNAP sent');
    } else if (effect.type === 'status') {
      this.#synchronizing.delete(sid);
      const view = this.#checker.witness.server(sid);
      const { state, serving, epoch } = effect.status;
      if (view.leads && state !== 'LEADING' && view.ordered !== view.delivered)
        this.#sometimes.note('leader lost with proposals that were not delivered');
      if (state === 'LEADING' && serving) this.#sometimes.note(view.leads ? 'epoch begun without an election' : 'leader established');
      if (view.leads && state === 'FOLLOWING' && epoch > 0) this.#sometimes.note('leadership handed over');
    }
  }

  onDown(sid: Sid): void {
    const view = this.#checker.witness.server(sid);
    if (view.leads && view.ordered !== view.delivered) this.#sometimes.note('leader lost with proposals that were not delivered');
    this.#synchronizing.delete(sid);
    this.#trace.note(sid, sid, () => 'is down');
    this.#checker.onDown(sid);
  }

  onFailure(sid: Sid, error: Error): void {
    if (error instanceof DiskError) {
      this.#sometimes.note('server stopped by its disk');
      this.#trace.note(sid, sid, () => `stops: ${error.message}`);
      return;
    }
    const property = error instanceof InvariantError ? 'Invariant' : 'UnexpectedException';
    this.#verdict.fail(property, `server ${sid} stopped by itself: ${error.stack ?? error.message}`);
  }

  // Byte channels

  onSpoilt(sid: Sid, fault: SpoilFault): void {
    this.#sometimes.note(`bytes ${fault}`);
    this.#trace.note(sid, sid, () => `sends or gets bytes ${fault}`);
  }

  onViolation(sid: Sid, { rule, message, peer }: WireViolation): void {
    this.#trace.note(sid, peer ?? 0, () => `finds ${rule} on a channel with S${peer}: ${message}`);
    if (this.#channelsAreLegal) this.#verdict.fail('NoFalseAlarm', `server ${sid} finds ${rule} on a legal channel: ${message}`);
    else this.#sometimes.note(`found: ${rule}`);
  }

  // Disks

  onFlushed(sid: Sid, order: DiskOrder): void {
    if (order.type === 'saveMark' && order.mark !== undefined) this.#sometimes.note('vote given back');
    if (order.type === 'mend') this.#sometimes.note('store mended');
    if (order.type === 'truncate') this.#sometimes.note('history cut on disk');
    else if (order.type === 'installSnapshot') this.#sometimes.note('snapshot of the leader installed on disk');
    this.#checker.onFlushed(sid, order);
  }

  onSnapshotSaved(sid: Sid, snapshot: Snapshot): void {
    this.#sometimes.note('own snapshot saved');
    this.#checker.onSnapshotSaved(sid, snapshot);
  }

  onStoreLost(sid: Sid, image: StoredImage): void {
    this.#checker.onStoreLost(sid, image);
  }

  onRecovered(sid: Sid, image: StoredImage): void {
    const { acceptedEpoch, currentEpoch, mark, damage } = image;
    this.#trace.note(
      sid,
      image.currentEpoch,
      () =>
        `has read its disk: acceptedEpoch ${acceptedEpoch}, currentEpoch ${currentEpoch}${mark === undefined ? ', not marked' : ''}${damage === undefined ? '' : `, ${damage}`}`,
    );
    this.#checker.onRecovered(sid, image);
  }

  onPowerLost(
    sid: Sid,
    loss: { readonly unflushed: number; readonly survived: number; readonly torn: boolean; readonly snapshots: number },
  ): void {
    if (loss.unflushed > 0) this.#sometimes.note('crash with unflushed orders');
    if (loss.torn) this.#sometimes.note('crash that tears a run');
    if (loss.snapshots > 0) this.#sometimes.note('crash while a snapshot is saved');
    this.#trace.note(
      sid,
      loss.survived,
      () => `of ${loss.unflushed} unflushed orders ${loss.survived} survive${loss.torn ? ', the next in part' : ''}`,
    );
  }
}
