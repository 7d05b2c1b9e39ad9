/** Every path of the protocol, with a crash between any two effects of it: the servers come back unaided, and nothing that was delivered is lost. */
import { expect, test } from 'vitest';
import { BLANK, TestEnsemble } from './ensemble.js';
import { image, run, snapshotAt } from './scenes.js';

const VOTERS = [1, 2, 3];

interface Path {
  readonly limits?: ConstructorParameters<typeof TestEnsemble>[2];
  /** What stands before the crash. */
  readonly before: (ensemble: TestEnsemble) => void;
  /** What happens, with a crash somewhere in it. */
  readonly path: (ensemble: TestEnsemble) => void;
}

const startAll = (ensemble: TestEnsemble): void => {
  for (const sid of VOTERS) ensemble.start(sid);
};

const leadsAfter = (prepare: (ensemble: TestEnsemble) => void): ((ensemble: TestEnsemble) => void) => {
  return (ensemble) => {
    prepare(ensemble);
    ensemble.settle();
  };
};

/** Proposes where somebody leads; otherwise there is nobody to propose to. */
function propose(ensemble: TestEnsemble, ...texts: string[]): void {
  const leader = ensemble.leader();
  if (leader !== undefined) ensemble.propose(leader, ...texts);
  ensemble.run();
}

const paths: Record<string, Path> = {
  'an election': { before: () => {}, path: leadsAfter(startAll) },
  broadcast: {
    before: leadsAfter(startAll),
    path: (ensemble) => {
      propose(ensemble, 'a', 'b');
      propose(ensemble, 'c');
    },
  },
  DIFF: {
    before: leadsAfter((ensemble) => {
      for (const sid of [2, 3]) ensemble.start(sid, image(1, run(1, 1, 'a', 'b')));
    }),
    path: leadsAfter((ensemble) => ensemble.start(1, image(1, run(1, 1, 'a')))),
  },
  TRUNC: {
    before: leadsAfter((ensemble) => {
      for (const sid of [2, 3]) ensemble.start(sid, image(1, run(1, 1, 'a')));
    }),
    path: leadsAfter((ensemble) => ensemble.start(1, image(1, run(1, 1, 'a', 'never committed')))),
  },
  'SNAP in pieces': {
    limits: { committedLogTxns: 0 },
    before: leadsAfter((ensemble) => {
      for (const sid of [2, 3]) ensemble.start(sid, { ...image(1, run(1, 4, 'd')), snapshot: snapshotAt(1, 2, 3) });
    }),
    path: leadsAfter((ensemble) => ensemble.start(1, image(1, run(1, 1, 'a')))),
  },
  'the end of an epoch': {
    limits: { epochTxnsMax: 2 },
    before: leadsAfter(startAll),
    path: (ensemble) => {
      propose(ensemble, 'a', 'b');
      ensemble.settle();
      propose(ensemble, 'c');
    },
  },
  'hand-over': {
    before: leadsAfter(startAll),
    path: (ensemble) => {
      propose(ensemble, 'a');
      const leader = ensemble.leader();
      if (leader !== undefined) ensemble.step(leader, { type: 'handOver', to: undefined });
      ensemble.settle();
    },
  },
  'a lost disk': {
    before: (ensemble) => {
      leadsAfter(startAll)(ensemble);
      propose(ensemble, 'a');
      ensemble.crash(1);
      ensemble.settle();
    },
    path: leadsAfter((ensemble) => ensemble.restart(1, BLANK)),
  },
  'a damaged disk': {
    before: leadsAfter((ensemble) => {
      for (const sid of [2, 3]) ensemble.start(sid, image(1, run(1, 1, 'a', 'b', 'c')));
    }),
    path: leadsAfter((ensemble) => ensemble.start(1, { ...image(1, run(1, 1, 'a')), damage: 'an entry cannot be read' })),
  },
};

function made({ limits, before }: Path): TestEnsemble {
  const ensemble = new TestEnsemble(VOTERS, {}, limits);
  before(ensemble);
  return ensemble;
}

/** How many effects a path has when nothing goes wrong. */
function lengthOf(path: Path): number {
  const ensemble = made(path);
  const before = ensemble.performed;
  path.path(ensemble);
  return ensemble.performed - before;
}

test.each(Object.entries(paths))('%s', (_, path) => {
  const effects = lengthOf(path);
  expect(effects).toBeGreaterThan(15);
  for (let at = 1; at <= effects; at++) {
    const ensemble = made(path);
    ensemble.crashAt(ensemble.performed + at);
    path.path(ensemble);
    const told = VOTERS.filter((sid) => ensemble.isUp(sid)).map((sid) => [...ensemble.delivered(sid)]);
    for (const sid of VOTERS) if (!ensemble.isUp(sid)) ensemble.restart(sid);
    ensemble.settle();
    const leader = ensemble.leader();
    expect([at, leader]).not.toEqual([at, undefined]);
    propose(ensemble, 'afterwards');
    const history = ensemble.delivered(leader as number);
    for (const sid of VOTERS) expect([at, sid, ensemble.delivered(sid)]).toEqual([at, sid, history]);
    for (const delivered of told) expect(history.slice(0, delivered.length)).toEqual(delivered);
    expect(history.length).toBeGreaterThan(Math.max(...told.map(({ length }) => length)));
  }
});
