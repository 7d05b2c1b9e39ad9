/** What of an input or an effect goes into the trace hash: its kind and all that can differ between two runs. */
import type { Effect, Input, Message } from '@quorate/zab';
import type { TraceHash } from './trace-hash.js';

export function foldInput(hash: TraceHash, input: Input): void {
  switch (input.type) {
    case 'start':
      return hash.fold(1);
    case 'notification':
      hash.fold(2);
      hash.fold(input.from);
      hash.fold(input.notification.electionEpoch);
      hash.fold(input.notification.vote.leader);
      return hash.fold(input.notification.vote.zxid);
    case 'learnerOpened':
      hash.fold(3);
      return hash.fold(input.from * 65536 + input.channel);
    case 'learnerMessage':
      hash.fold(4);
      hash.fold(input.channel);
      return foldMessage(hash, input.message);
    case 'learnerClosed':
      hash.fold(5);
      return hash.fold(input.channel);
    case 'leaderMessage':
      hash.fold(6);
      return foldMessage(hash, input.message);
    case 'leaderClosed':
      hash.fold(7);
      return hash.fold(input.channel);
    case 'completed':
      hash.fold(8);
      return hash.fold(input.count);
    case 'timer':
      hash.fold(9);
      return hash.fold(input.name.charCodeAt(0));
    case 'propose':
      hash.fold(10);
      for (const payload of input.payloads) hash.foldBytes(payload);
      return;
    case 'request':
    case 'revalidate':
      hash.fold(11);
      return hash.foldBytes(input.payload);
    case 'answerRevalidate':
      hash.fold(12);
      return hash.fold(input.to);
    case 'heartbeat':
      hash.fold(13);
      return hash.fold(input.round);
    case 'sync':
      hash.fold(14);
      return hash.fold(input.tag);
    case 'room':
      hash.fold(15);
      return hash.fold(input.channel);
    case 'snapshotRead':
      hash.fold(16);
      hash.fold(input.zxid);
      return hash.foldBytes(input.bytes);
    case 'logRead':
      hash.fold(17);
      hash.fold(input.channel);
      return hash.fold(input.runs?.length ?? -1);
    case 'snapshotSaved':
      hash.fold(18);
      return hash.fold(input.zxid);
    case 'paused':
      return hash.fold(19);
    case 'handOver':
      hash.fold(20);
      return hash.fold(input.to ?? 0);
  }
}

export function foldEffect(hash: TraceHash, effect: Effect): void {
  switch (effect.type) {
    case 'notify':
      hash.fold(33);
      hash.fold(effect.to);
      return hash.fold(effect.notification.vote.zxid);
    case 'openToLeader':
      hash.fold(34);
      return hash.fold(effect.to);
    case 'sendToLeader':
      hash.fold(35);
      return foldMessage(hash, effect.message);
    case 'closeToLeader':
      hash.fold(36);
      return hash.fold(effect.channel);
    case 'sendToLearner':
      hash.fold(37);
      hash.fold(effect.channel);
      return foldMessage(hash, effect.message);
    case 'closeToLearner':
      hash.fold(38);
      return hash.fold(effect.channel);
    case 'append':
      hash.fold(39);
      hash.fold(effect.run.zxid);
      return hash.fold(effect.run.payloads.length);
    case 'truncate':
      hash.fold(40);
      return hash.fold(effect.zxid);
    case 'saveAcceptedEpoch':
    case 'saveCurrentEpoch':
      hash.fold(effect.type === 'saveAcceptedEpoch' ? 41 : 42);
      return hash.fold(effect.epoch);
    case 'installSnapshot':
      hash.fold(43);
      return hash.fold(effect.snapshot.zxid);
    case 'setTimer':
      hash.fold(44);
      return hash.fold(effect.ms * 64);
    case 'cancelTimer':
      return hash.fold(45);
    case 'deliver':
      hash.fold(46);
      hash.fold(effect.run.zxid);
      return hash.fold(effect.run.payloads.length);
    case 'restore':
      hash.fold(47);
      return hash.fold(effect.snapshot.zxid);
    case 'status':
      hash.fold(48);
      hash.fold(effect.status.epoch);
      return hash.fold((effect.status.leader ?? 0) * 2 + (effect.status.serving ? 1 : 0));
    case 'request':
    case 'revalidate':
    case 'heartbeatReceived':
      hash.fold(49);
      hash.fold(effect.from);
      return hash.foldBytes(effect.payload);
    case 'heartbeat':
      hash.fold(50);
      return hash.fold(effect.round);
    case 'synced':
      hash.fold(51);
      return hash.fold(effect.tag);
    case 'awaitRoom':
    case 'readSnapshot':
      hash.fold(effect.type === 'awaitRoom' ? 52 : 53);
      return hash.fold(effect.channel);
    case 'readLog':
      hash.fold(54);
      return hash.fold(effect.after);
    case 'mend':
      hash.fold(57);
      return hash.fold(effect.runs.length);
    case 'saveMark':
      return hash.fold(effect.mark === undefined ? 55 : 56);
  }
}

function foldMessage(hash: TraceHash, message: Message): void {
  switch (message.type) {
    case 'FOLLOWERINFO':
      hash.fold(65);
      return hash.fold(message.acceptedEpoch);
    case 'OBSERVERINFO':
      hash.fold(81);
      return hash.fold(message.acceptedEpoch);
    case 'INFORM':
      hash.fold(82);
      hash.fold(message.run.zxid);
      return hash.fold(message.run.payloads.length);
    case 'LEADERINFO':
      hash.fold(66);
      return hash.fold(message.epoch);
    case 'ACKEPOCH':
      hash.fold(67);
      hash.fold(message.currentEpoch + 1);
      return hash.fold(message.lastZxid);
    case 'DIFF':
      return hash.fold(68);
    case 'TRUNC':
      hash.fold(69);
      return hash.fold(message.zxid);
    case 'SNAP':
      hash.fold(70);
      return hash.fold(message.zxid);
    case 'PIECE':
      hash.fold(83);
      return hash.foldBytes(message.bytes);
    case 'HANDOVER':
      hash.fold(84);
      return hash.fold(message.leader);
    case 'PROPOSAL':
      hash.fold(71);
      hash.fold(message.run.zxid);
      return hash.fold(message.run.payloads.length);
    case 'ACK':
      hash.fold(72);
      return hash.fold(message.zxid);
    case 'COMMIT':
      hash.fold(73);
      return hash.fold(message.zxid);
    case 'NEWLEADER':
      hash.fold(74);
      return hash.fold(message.epoch);
    case 'UPTODATE':
      return hash.fold(75);
    case 'PING':
      hash.fold(76);
      hash.fold(message.round);
      return hash.foldBytes(message.payload);
    case 'REQUEST':
    case 'REVALIDATE':
      hash.fold(77);
      return hash.foldBytes(message.payload);
    case 'SYNC':
      hash.fold(78);
      return hash.fold(message.tag);
    case 'MEND':
      hash.fold(85);
      hash.fold(message.after);
      return hash.fold(message.before);
    case 'FOUND':
      hash.fold(86);
      hash.fold(message.runs.length);
      return hash.fold(message.end + 1);
  }
}
