/** What peers say to one another, in words. */
import { formatZxid, type Zxid } from '@quorate/protocol';
import { lastZxidOf, type Message, type Run } from '@quorate/zab';

/** How a zxid is written: as ZooKeeper does unless something shorter is given. */
export type WriteZxid = (zxid: Zxid) => string;

export function describeMessage(message: Message, write: WriteZxid = formatZxid): string {
  switch (message.type) {
    case 'FOLLOWERINFO':
    case 'OBSERVERINFO':
      return `${message.type} acceptedEpoch ${message.acceptedEpoch}`;
    case 'LEADERINFO':
    case 'NEWLEADER':
      return `${message.type} epoch ${message.epoch}`;
    case 'ACKEPOCH':
      return `ACKEPOCH currentEpoch ${message.currentEpoch} lastZxid ${write(message.lastZxid)}`;
    case 'TRUNC':
    case 'SNAP':
    case 'ACK':
    case 'COMMIT':
      return `${message.type} ${write(message.zxid)}`;
    case 'PIECE':
      return `PIECE of ${message.bytes.length} bytes${message.last ? ', the last' : ''}`;
    case 'HANDOVER':
      return `HANDOVER to S${message.leader}`;
    case 'PROPOSAL':
    case 'INFORM':
      return `${message.type} ${describeRun(message.run, write)}`;
    case 'PING':
      return `PING ${message.round}`;
    case 'REQUEST':
    case 'REVALIDATE':
      return `${message.type} ${message.payload.length} bytes`;
    case 'SYNC':
      return `SYNC ${message.tag}`;
    case 'MEND':
      return `MEND above ${write(message.after)}, below ${write(message.before)}`;
    case 'FOUND': {
      const runs = message.runs.map((run) => describeRun(run, write)).join(' ') || 'nothing';
      return `FOUND ${runs}${message.more ? ' and more' : ''}, end ${message.end < 0 ? 'unknown' : write(message.end)}`;
    }
    case 'DIFF':
    case 'UPTODATE':
      return message.type;
  }
}

export function describeRun(run: Run, write: WriteZxid = formatZxid): string {
  return run.payloads.length === 1 ? write(run.zxid) : `${write(run.zxid)}..${write(lastZxidOf(run))}`;
}
