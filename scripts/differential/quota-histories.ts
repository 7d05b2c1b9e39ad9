/**
 * Histories about quotas: limits and stats come, change and go, above and below each other, while what they count is created, changed and deleted.
 *
 * Limits can always be read, because theirs refuses everything below those that cannot, and stats are never written by a client, because theirs can die of that.
 * A multi holds one change, because theirs checks each against what was there before the multi.
 */
import { CreateMode, OPEN_ACL_UNSAFE, OpCode, type Request } from '@quorate/protocol';
import fc, { type Arbitrary } from 'fast-check';
import { SLOTS, type Step } from './history.ts';

const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const made = { acl: OPEN_ACL_UNSAFE, flags: CreateMode.PERSISTENT };

const quota = fc.constantFrom('~/a', '~/b', '~/a/x');
const limitsOf = (path: string): string => `/zookeeper/quota${path}/zookeeper_limits`;
const statsOf = (path: string): string => `/zookeeper/quota${path}/zookeeper_stats`;

const limits = fc
  .constantFrom(
    ...[
      'countHardLimit=1',
      'countHardLimit=2',
      'byteHardLimit=0',
      'byteHardLimit=4',
      'count=-1,bytes=-1=;byteHardLimit=6;countHardLimit=3',
    ],
    ...['count=3,bytes=-1', 'count=0,bytes=0', 'count=1,bytes=1;countHardLimit=5', '', 'bytes==7', 'count=+1;byteHardLimit=+2,bytes=-3'],
  )
  .map(text);

const path = fc.constantFrom('~/a', '~/b', '~/a/x', '~/a/y', '~/a/x/z', '~/b/x', '~/c', '~/a/x/zookeeper_stats');
const data = fc.oneof(fc.uint8Array({ maxLength: 5 }), fc.constant(null));
const create = fc.record({
  type: fc.constantFrom(OpCode.create, OpCode.create2),
  path,
  data,
  acl: fc.constant(OPEN_ACL_UNSAFE),
  flags: fc.constantFrom(CreateMode.PERSISTENT, CreateMode.PERSISTENT, CreateMode.EPHEMERAL, CreateMode.PERSISTENT_SEQUENTIAL),
});
const setData = fc.record({ type: fc.constant(OpCode.setData), path, data, version: fc.constantFrom(-1, -1, -1, 0, 1) });
const remove = fc.record({ type: fc.constant(OpCode.delete), path, version: fc.constant(-1) });
const change = fc.oneof(create, create, setData, remove);

const request: Arbitrary<Request> = fc.oneof(
  { weight: 12, arbitrary: change },
  {
    weight: 2,
    arbitrary: fc.tuple(path, change, fc.boolean()).map(([checked, one, last]) => {
      const check = { type: OpCode.check, path: checked, version: -1 } as const;
      return { type: OpCode.multi, ops: last ? [check, one] : [one, check] };
    }),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(quota, limits).map(([at, content]) => ({ type: OpCode.create, path: limitsOf(at), data: content, ...made })),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(quota, data).map(([at, content]) => ({ type: OpCode.create2, path: statsOf(at), data: content, ...made })),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(quota, limits).map(([at, content]) => ({ type: OpCode.setData, path: limitsOf(at), data: content, version: -1 })),
  },
  { weight: 1, arbitrary: quota.map((at) => ({ type: OpCode.delete, path: limitsOf(at), version: -1 })) },
  { weight: 1, arbitrary: quota.map((at) => ({ type: OpCode.delete, path: statsOf(at), version: -1 })) },
  { weight: 8, arbitrary: fc.tuple(quota, fc.boolean()).map(([at, watch]) => ({ type: OpCode.getData, path: statsOf(at), watch })) },
  { weight: 1, arbitrary: fc.constant({ type: OpCode.closeSession }) },
);

/** Histories of up to so many steps, the first of which make a quota. */
export function quotaHistories(stepsMax: number): Arbitrary<Step[]> {
  const beginning = fc.tuple(quota, limits).map(([at, content]): Request[] => [
    { type: OpCode.create, path: limitsOf(at), data: content, ...made },
    { type: OpCode.create, path: statsOf(at), data: null, ...made },
  ]);
  return fc
    .tuple(beginning, fc.array(request, { minLength: 1, maxLength: stepsMax, size: 'max' }), fc.nat({ max: SLOTS - 1 }))
    .map(([first, rest, slot]) =>
      [...first, ...rest].map((one, index): Step => ({ kind: 'request', slot: (slot + index) % SLOTS, request: one })),
    );
}
