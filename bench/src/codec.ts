/** The codec of the client protocol, by tinybench: what one message costs. The same message as JSON is the baseline. */
import {
  decodeClientMessage,
  decodeServerMessage,
  encodeClientMessage,
  encodeServerMessage,
  JuteWriter,
  makeZxid,
  OpCode,
  type ReplyMessage,
  type RequestMessage,
} from '@quorate/protocol';
import { Bench } from 'tinybench';
import type { Baseline, Report } from './report.js';

const zxid = makeZxid(1, 7);
const data = new Uint8Array(100).fill(65);
const request: RequestMessage = {
  kind: 'request',
  xid: 7,
  request: { type: OpCode.setData, path: '/services/web/instance-0000000042', data, version: -1 },
};
const reply: ReplyMessage = {
  kind: 'reply',
  xid: 7,
  zxid,
  err: 0,
  response: {
    type: OpCode.getData,
    data,
    stat: {
      czxid: zxid,
      mzxid: zxid,
      ctime: 1_600_000_000_000,
      mtime: 1_600_000_000_000,
      version: 3,
      cversion: 0,
      aversion: 0,
      ephemeralOwner: 0n,
      dataLength: 100,
      numChildren: 0,
      pzxid: zxid,
    },
  },
};

export async function benchCodec(timeMs: number, report: Report): Promise<void> {
  // As a connection does, one writer for all of its messages.
  const writer = new JuteWriter();
  const bench = new Bench({ time: timeMs, warmupTime: timeMs / 4 });
  const requestBody = encodeClientMessage(request).subarray(4);
  const replyBody = encodeServerMessage(reply).subarray(4);
  const json = {
    xid: 7,
    type: OpCode.setData,
    path: request.request.type === OpCode.setData ? request.request.path : '',
    data: 'A'.repeat(100),
    version: -1,
  };
  bench
    .add('JSON', () => JSON.parse(JSON.stringify(json)) as unknown)
    .add('encode setData request, 100 B', () => encodeClientMessage(request, writer))
    .add('decode setData request, 100 B', () => decodeClientMessage(requestBody))
    .add('encode getData reply, 100 B', () => encodeServerMessage(reply, writer))
    .add('decode getData reply, 100 B', () => decodeServerMessage(replyBody, () => OpCode.getData));
  await bench.run();
  const perSecond = (name: string): number => {
    const result = bench.getTask(name)?.result;
    if (result === undefined || !('throughput' in result)) throw new Error(`${name} was not measured`);
    return 1_000 / result.latency.p50;
  };
  const baseline: Baseline = { name: 'the request as JSON, written and read', perSecond: perSecond('JSON') };
  report.heading('Codec of the client protocol', baseline);
  for (const { name } of bench.tasks) if (name !== 'JSON') report.rate(name, perSecond(name), baseline);
}
