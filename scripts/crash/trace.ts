/**
 * What reaches the system, and in which order: a server of ours is run under strace, one write at a time is under way, and each has to be written to the log and
 * flushed before a byte about it goes to the leader or to the client.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from '@quorate/node';
import type { Sid } from '@quorate/zab';
import { srvr } from '../differential/apache.ts';
import { foundEnsemble, type ServeProcess } from './ensemble.ts';
import { readSystemCalls, type SystemCall } from './system-calls.ts';

const SERVERS = 3;
const WRITES = 50;
/** strace slows a server down. */
const START_MS_MAX = 60_000;
const SETTINGS: readonly string[] = ['tickTime=4000'];
/** Of the writes of a follower, those during whose flush something may be sent to the leader: a heartbeat is that, every other second. */
const HEARTBEATS_MAX = WRITES / 10;
/** Of a call, in characters. */
const TEXT_SHOWN = 200;
const TRACED_CALLS = 'fdatasync,fsync,pwrite64,pwritev,pwritev2,write,writev,sendto,sendmsg';
const SOCKET_CALLS: ReadonlySet<string> = new Set(['write', 'writev', 'sendto', 'sendmsg']);
const LOG_CALLS: ReadonlySet<string> = new Set(['pwrite64', 'pwritev', 'pwritev2', 'write', 'writev']);
const FLUSH_CALLS: ReadonlySet<string> = new Set(['fdatasync', 'fsync']);

export interface TraceResult {
  /** What the traced servers were. */
  readonly modes: readonly string[];
  /** Writes whose way was followed, on all servers together. */
  readonly writes: number;
  readonly faults: readonly string[];
}

/** A leader and a follower at the least are looked at: all are traced, and each has a client of its own. */
export async function traceWrites(program: string, folder: string): Promise<TraceResult> {
  const traceOf = (sid: Sid): string => join(folder, `trace-${sid}`);
  const launcher = (sid: Sid): readonly string[] => [
    'strace',
    '-f',
    '-yy',
    '-s',
    '65536',
    '-e',
    `trace=${TRACED_CALLS}`,
    '-o',
    traceOf(sid),
  ];
  const servers = await foundEnsemble({ program, folder, servers: SERVERS, settings: SETTINGS, launcher });
  const modes: string[] = [];
  try {
    await Promise.all(servers.map((server) => server.start(START_MS_MAX)));
    for (const server of servers) {
      modes.push(/^Mode: (\w+)$/m.exec(await srvr(server.port))?.[1] ?? 'nothing');
      await writeOneByOne(server);
    }
  } finally {
    await Promise.all(servers.map((server) => server.kill()));
  }
  const faults: string[] = [];
  for (const [i, server] of servers.entries()) {
    const calls = readSystemCalls(await readFile(traceOf(server.sid), 'latin1'));
    const early: string[] = [];
    for (let write = 0; write < WRITES; write++) {
      const way = { calls, path: pathOf(server, write), clientPort: server.port, isLeader: modes[i] === 'leader' };
      const fault = faultOf(way, early);
      if (fault !== undefined) faults.push(`server ${server.sid}, ${modes[i]}: ${fault}`);
    }
    if (early.length > HEARTBEATS_MAX) faults.push(`server ${server.sid}, ${modes[i]}: ${early.length} times early, as in ${early[0]}`);
  }
  return { modes, writes: SERVERS * WRITES, faults };
}

/** The path stands in the txn, and in the answer as well. */
function pathOf({ sid }: ServeProcess, write: number): string {
  return `/traced-${sid}-${write}-`;
}

async function writeOneByOne(server: ServeProcess): Promise<void> {
  await using client = await connect(`127.0.0.1:${server.port}`, { sessionTimeoutMs: 60_000 });
  for (let write = 0; write < WRITES; write++) await client.create(pathOf(server, write));
}

interface Way {
  readonly calls: readonly SystemCall[];
  readonly path: string;
  readonly clientPort: number;
  readonly isLeader: boolean;
}

/** What is wrong with the way of a write; undefined where it is as it must be. What a follower sends before the end of the flush goes to `earlySends`. */
function faultOf({ calls, path, clientPort, isLeader }: Way, earlySends: string[]): string | undefined {
  const append = calls.find((call) => LOG_CALLS.has(call.name) && call.target.includes('/segment-') && call.text.includes(path));
  if (append === undefined) return `${path} was not written to the log`;
  const flush = calls.find((call) => FLUSH_CALLS.has(call.name) && call.target === append.target && call.begun > append.done);
  if (flush?.succeeded !== true) return `${path} was written to the log, which was not flushed`;
  const sent = calls.filter((call) => SOCKET_CALLS.has(call.name) && call.target.startsWith('TCP'));
  // A follower's acknowledgement. What a leader sends meanwhile says what others hold.
  const early = sent.find((call) => !isLeader && call.begun > append.begun && call.begun < flush.done);
  if (early !== undefined) earlySends.push(`${path} was not flushed when this was sent: ${early.text.slice(0, TEXT_SHOWN)}`);
  const reply = sent.find((call) => call.target.includes(`:${clientPort}->`) && call.text.includes(path));
  if (reply === undefined) return `${path} was not answered`;
  return reply.begun > flush.done ? undefined : `${path} was answered before it was flushed`;
}
