/** `quorate import`, `export` and `doctor`: what they say, and how they end. What they do is tested in packages/node. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterAll, expect, test } from 'vitest';
import { main } from '../src/index.js';
import { ProgressLine, progressText } from '../src/progress.js';

const root = mkdtempSync(join(tmpdir(), 'quorate-cli-data-'));
afterAll(() => rmSync(root, { recursive: true }));

const APACHE = join(import.meta.dirname, '../../node/test/apache-3.8.0');

let folders = 0;
function empty(): string {
  const folder = join(root, String(folders++));
  mkdirSync(folder);
  return folder;
}

async function run(args: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const code = await main(args, { stdin: Readable.from([]), stdout, stderr, stop: new AbortController().signal });
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
}

test.each<[readonly string[], string]>([
  [['import'], 'quorate: import takes one directory of Apache ZooKeeper'],
  [['import', APACHE], 'quorate: where shall the store be? Give --data DIR, which exists and is empty'],
  [['import', APACHE, '--data', root], 'quorate: import takes --name NAME: the name of the new ensemble, the same for all its servers'],
  [['export'], 'quorate: what shall be exported? Give --data DIR'],
  [['export', '--data', root], 'quorate: export takes one directory to write'],
  [['doctor'], 'quorate: doctor takes one data directory'],
  [['doctor', join(root, 'nowhere')], `quorate: there is no directory ${join(root, 'nowhere')}: give a data directory`],
  [['doctor', import.meta.dirname], `quorate: ${import.meta.dirname} is no data directory`],
])('%j makes no sense', async (args, message) => {
  const ran = await run(args);
  expect([ran.code, ran.out]).toEqual([2, '']);
  expect(ran.err).toContain(message);
});

test('an import says what has come, and what is there is sound', async () => {
  const [data, target] = [empty(), join(root, 'target')];
  expect(await run(['import', APACHE, '--data', data, '--name', 'test'])).toEqual({
    code: 0,
    out: [
      `${join(APACHE, 'version-2/snapshot.20')} and 31 txns of 2 logs`,
      '28 znodes, 1 sessions; last txn 0x2d, epoch 0',
      'digest: compared 14 times, agreed 14 times',
      `${data} is the store of a voter of the new ensemble test`,
      '',
    ].join('\n'),
    err: '',
  });
  expect(await run(['doctor', data])).toMatchObject({
    code: 0,
    out: expect.stringMatching(/ensemble {3}test\n[^]*last txn {3}0x2d\n[^]*verdict: OK\nNothing is wrong: quorate serve --data /),
    err: '',
  });
  expect(await run(['export', '--data', data, target, '--json'])).toMatchObject({
    code: 0,
    out: expect.stringContaining('"lastZxid":"0x2d"'),
  });
  const { code, out } = await run(['doctor', '--json', target]);
  expect([code, JSON.parse(out)]).toMatchObject([
    0,
    { kind: 'apache', verdict: 'OK', findings: [], state: { lastZxid: '0x2d', znodes: 28 } },
  ]);
  expect(await run(['import', APACHE, '--data', data, '--name', 'test'])).toMatchObject({
    code: 1,
    err: expect.stringContaining('is not empty'),
  });
});

test('the doctor names the file, the byte, and what to do', async () => {
  const directory = empty();
  cpSync(APACHE, directory, { recursive: true });
  const log = join(directory, 'version-2', 'log.22');
  const bytes = readFileSync(log);
  bytes[40] = 0xff;
  writeFileSync(log, bytes);
  const { code, out } = await run(['doctor', directory]);
  expect(code).toBe(1);
  expect(out).toContain(`verdict: DAMAGED\n  DAMAGED: ${log} at byte 16: the checksum of a record is another\nIt cannot be imported.`);
  expect(await run(['import', directory, '--data', empty(), '--name', 'test'])).toEqual({
    code: 1,
    out: '',
    err: `quorate: ${log} at byte 16: the checksum of a record is another\n`,
  });
});

test('progress is said where it is asked for, five times a second at most', async () => {
  const data = empty();
  const { err } = await run(['import', APACHE, '--data', data, '--name', 'test', '--progress']);
  expect(err).toMatch(/^reading: 2\.5 kB of 5\.9 kB, 42 %\n/);
  expect((await run(['doctor', data, '--progress'])).err).toMatch(/^reading: 4\.1 kB\n/);
  const stderr = new PassThrough();
  const line = new ProgressLine({ stdin: Readable.from([]), stdout: stderr, stderr, stop: new AbortController().signal }, true);
  for (let done = 1; done <= 1_000; done++) line.onProgress({ step: 'write', done, total: 1_000, unit: 'znodes' });
  line.end();
  const lines = String(stderr.read()).trimEnd().split('\n');
  expect([lines[0], lines.at(-1)]).toEqual(['writing: 1 of 1000 znodes, 0 %', 'writing: 1000 of 1000 znodes, 100 %']);
  expect(lines.length).toBeLessThan(10);
  expect(progressText({ step: 'write', done: 2_500_000, total: undefined, unit: 'bytes' })).toBe('writing: 2.5 MB');
});
