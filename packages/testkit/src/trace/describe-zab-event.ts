/** Inputs and effects in words, as they stand in the report of a failure. */
import { formatZxid } from '@quorate/protocol';
import type { Effect, Input, Message, Notification } from '@quorate/zab';
import { describeMessage, describeRun } from './describe-message.js';

/** Undefined for what only fills the page, unless `all` is wanted. */
export function describeInput(input: Input, all: boolean): string | undefined {
  switch (input.type) {
    case 'start':
      return 'starts';
    case 'notification':
      return all ? `<- S${input.from} ${notification(input.notification)}` : undefined;
    case 'learnerOpened':
      return `<- S${input.from} opens learner channel ${input.channel}`;
    case 'learnerMessage':
      return quiet(input.message, all) ? undefined : `<- learner ${input.channel} ${describeMessage(input.message)}`;
    case 'learnerClosed':
      return `<- learner ${input.channel} closed`;
    case 'leaderMessage':
      return quiet(input.message, all) ? undefined : `<- leader ${describeMessage(input.message)}`;
    case 'leaderClosed':
      return '<- leader closed';
    case 'completed':
      return `disk: ${input.count} completed`;
    case 'timer':
      return all || input.name === 'init' ? `timer ${input.name}` : undefined;
    case 'propose':
      return `proposes ${input.payloads.length}`;
    case 'request':
      return `forwards a request of ${input.payload.length} bytes`;
    case 'revalidate':
      return 'asks to revalidate';
    case 'answerRevalidate':
      return `answers the revalidation of S${input.to}`;
    case 'heartbeat':
      return all ? `heartbeat ${input.round}` : undefined;
    case 'sync':
      return `sync ${input.tag}`;
    case 'room':
      return `room for learner ${input.channel}`;
    case 'snapshotRead':
      return `snapshot at ${formatZxid(input.zxid)} for learner ${input.channel}: ${input.bytes.length} bytes${input.last ? ', the last' : ''}`;
    case 'logRead':
      return `log for learner ${input.channel}: ${input.runs?.map((run) => describeRun(run)).join(' ') ?? 'not there'}`;
    case 'paused':
      return 'has paused';
    case 'handOver':
      return `shall hand over to ${input.to ?? 'anybody'}`;
    case 'snapshotSaved':
      return `disk: own snapshot ${formatZxid(input.zxid)} saved`;
  }
}

export function describeEffect(effect: Effect, all: boolean): string | undefined {
  switch (effect.type) {
    case 'notify':
      return all ? `-> S${effect.to} ${notification(effect.notification)}` : undefined;
    case 'openToLeader':
      return `opens channel ${effect.channel} to leader S${effect.to}`;
    case 'sendToLeader':
      return quiet(effect.message, all) ? undefined : `-> leader ${describeMessage(effect.message)}`;
    case 'closeToLeader':
      return `closes channel ${effect.channel} to its leader`;
    case 'sendToLearner':
      return quiet(effect.message, all) ? undefined : `-> learner ${effect.channel} ${describeMessage(effect.message)}`;
    case 'closeToLearner':
      return `closes learner ${effect.channel}`;
    case 'append':
      return `disk! append ${describeRun(effect.run)}`;
    case 'truncate':
      return `disk! truncate to ${formatZxid(effect.zxid)}`;
    case 'saveAcceptedEpoch':
      return `disk! acceptedEpoch ${effect.epoch}`;
    case 'saveCurrentEpoch':
      return `disk! currentEpoch ${effect.epoch}`;
    case 'installSnapshot':
      return `disk! install snapshot ${formatZxid(effect.snapshot.zxid)}`;
    case 'setTimer':
    case 'cancelTimer':
      return all ? `${effect.type} ${effect.name}` : undefined;
    case 'deliver':
      return `delivers ${describeRun(effect.run)}`;
    case 'restore':
      return `restores ${formatZxid(effect.snapshot.zxid)}`;
    case 'status': {
      const { state, leader, epoch, serving, votes } = effect.status;
      const whom = leader === undefined ? '' : ` (leader S${leader})`;
      return `is ${state}${whom} epoch ${epoch}${serving ? ', serving' : ''}${votes ? '' : ', without a vote'}`;
    }
    case 'request':
      return `request from S${effect.from}`;
    case 'revalidate':
      return `revalidation with S${effect.from}`;
    case 'heartbeat':
    case 'heartbeatReceived':
      return all ? effect.type : undefined;
    case 'synced':
      return `synced ${effect.tag}`;
    case 'mend':
      return `disk! mended by ${effect.runs.map((run) => describeRun(run)).join(' ') || 'nothing'}`;
    case 'saveMark':
      return effect.mark === undefined ? 'disk! no mark' : 'disk! mark';
    case 'awaitRoom':
      return all ? `awaits room for learner ${effect.channel}` : undefined;
    case 'readSnapshot':
      return `reads a snapshot for learner ${effect.channel}`;
    case 'readLog':
      return `reads the log above ${formatZxid(effect.after)} for learner ${effect.channel}`;
  }
}

function quiet(message: Message, all: boolean): boolean {
  return !all && message.type === 'PING';
}

function notification({ state, electionEpoch, vote }: Notification): string {
  return `${state} round ${electionEpoch} votes S${vote.leader} (${formatZxid(vote.zxid)}, epoch ${vote.peerEpoch})`;
}
