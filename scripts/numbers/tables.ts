/** The tables of docs/model.md, out of the formulas: a page that says otherwise fails its test. */
import { availability } from './availability.ts';
import { heartbeatLoad } from './heartbeats.ts';
import { type Division, leastMoved, mostDisplaced, spread } from './partitions.ts';
import { equalGroups, quorumLikelihood, sizesByCounting, sizesByFormula, weighted } from './quorums.ts';

const HOURS_PER_DAY = 24;
const MINUTES_PER_YEAR = 365 * HOURS_PER_DAY * 60;
const MTBF_MINUTES = 30 * HOURS_PER_DAY * 60;
const MTTR_MINUTES = 60;
/** syncLimit 10 of ticks of 2 s, and the election. */
const FAILOVER_MINUTES = 20.2 / 60;

/** By the name that a page gives them. */
export const tables: ReadonlyMap<string, () => string> = new Map([
  ['availability', availabilityTable],
  ['heartbeats', heartbeatsTable],
  ['quorums', quorumsTable],
  ['partitions', partitionsTable],
]);

/** A page with its tables made anew. A table stands between `<!-- table NAME -->` and `<!-- end -->`. @throws Error for a name that is none. */
export function withTables(page: string): string {
  return page.replace(/(<!-- table ([a-z-]+) -->\n)[^]*?(<!-- end -->)/g, (_, begin: string, name: string, end: string) => {
    const table = tables.get(name);
    if (table === undefined) throw new Error(`there is no table ${name}: there are ${[...tables.keys()].join(', ')}`);
    return `${begin}${table()}\n${end}`;
  });
}

function availabilityTable(): string {
  const rows = [1, 3, 5, 7].map((servers) => {
    const fleet = { servers, mtbf: MTBF_MINUTES, mttr: MTTR_MINUTES, failover: FAILOVER_MINUTES };
    const alone = availability(fleet);
    const oneCrew = availability({ ...fleet, crews: 1 });
    const minutes = (share: number) => significant(share * MINUTES_PER_YEAR);
    return [
      servers,
      servers === 1 ? 0 : Math.floor((servers - 1) / 2),
      minutes(1 - alone.quorum),
      minutes(1 - oneCrew.quorum),
      minutes(alone.failovers),
      `${(100 * alone.serving).toFixed(5)} %`,
    ];
  });
  return table(['servers', 'failures borne', 'no quorum, min/year', '…, one repaired at a time', 'failovers, min/year', 'serves'], rows);
}

function heartbeatsTable(): string {
  const rows = [
    [3, 100],
    [3, 10_000],
    [3, 100_000],
    [5, 10_000],
    [7, 10_000],
  ] as const;
  return table(
    ['servers', 'sessions', 'messages/s of clients', 'messages/s of servers', 'bytes/s of touched sessions'],
    rows.map(([servers, sessions]) => {
      const load = heartbeatLoad({ servers, sessions, sessionTimeoutMs: 10_000, tickTimeMs: 2_000 });
      return [servers, grouped(sessions), grouped(load.clientMessages), grouped(load.peerMessages), grouped(load.touchBytes)];
    }),
  );
}

function quorumsTable(): string {
  const alike = (
    [
      [1, 3],
      [1, 4],
      [1, 5],
      [1, 6],
      [1, 7],
      [1, 9],
      [3, 2],
      [3, 3],
      [5, 3],
    ] as const
  ).map(([groups, perGroup]) => {
    const { smallest, anyFailures, luckyFailures } = sizesByFormula(groups, perGroup);
    const name = groups === 1 ? `${perGroup}` : `${groups} groups of ${perGroup}`;
    return [name, smallest, anyFailures, luckyFailures, unlikelihood(quorumLikelihood(equalGroups(groups, perGroup), 0.99))];
  });
  const weights = [
    [2, 1, 1, 1],
    [3, 1, 1],
    [1, 1, 1, 0, 0],
  ].map((given) => {
    const config = weighted(...given);
    const { smallest, anyFailures, luckyFailures } = sizesByCounting(config);
    return [`weights ${given.join(', ')}`, smallest, anyFailures, luckyFailures, unlikelihood(quorumLikelihood(config, 0.99))];
  });
  return table(['servers', 'smallest quorum', 'any so many may fail', 'at best', 'no quorum, each up 99 %'], [...alike, ...weights]);
}

function partitionsTable(): string {
  const divisions: readonly Division[] = [
    { members: 3, keys: 64 },
    { members: 3, keys: 1_024 },
    { members: 10, keys: 256 },
    { members: 10, keys: 1_024 },
    { members: 10, keys: 100_000 },
  ];
  const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
  return table(
    ['keys', 'members', 'spread', 'spread, ring of 100 points', 'one more member moves', '`divide` moves at most'],
    divisions.map((division) => [
      grouped(division.keys),
      division.members,
      percent(spread.rendezvous(division)),
      percent(spread.ring(division, 100)),
      percent(leastMoved(division)),
      percent(leastMoved(division) + mostDisplaced(division)),
    ]),
  );
}

function unlikelihood(likelihood: number): string {
  return (1 - likelihood).toExponential(1);
}

function significant(value: number): string {
  return value >= 100 ? grouped(value) : value.toPrecision(2).replace(/e.*$/, (exponent) => ` · 10${exponent.replace('e', '^')}`);
}

function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
