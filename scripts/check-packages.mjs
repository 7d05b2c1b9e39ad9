// Looks at the packages as their users will get them: packs each one, checks what is in it, installs all of them in an empty folder and uses them.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'quorate-packages-'));

/**
 * Runs a program and shows what it printed only when it fails.
 * @param {string} cwd @param {string} file @param {readonly string[]} args
 */
function run(cwd, file, ...args) {
  try {
    return execFileSync(file, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], shell: process.platform === 'win32' });
  } catch (/** @type {any} */ error) {
    console.error(`${file} ${args.join(' ')}\n${error.stdout ?? ''}${error.stderr ?? error.message}`);
    rmSync(work, { recursive: true });
    process.exit(1);
  }
}

const bin = (/** @type {string} */ name) => join(root, 'node_modules/.bin', name);

/** @type {Record<string, string>} the packed file of every package, by npm name */
const tarballs = {};
for (const folder of readdirSync(join(root, 'packages'))) {
  const home = join(root, 'packages', folder);
  const packed = JSON.parse(run(home, bin('pnpm'), 'pack', '--json', '--pack-destination', work));
  const files = run(work, 'tar', 'tzf', packed.filename).split('\n');
  for (const needed of ['LICENSE', 'README.md', 'dist/index.js', 'dist/index.cjs', 'dist/index.d.ts', 'dist/index.d.cts']) {
    if (!files.includes(`package/${needed}`)) throw new Error(`${packed.name} lacks ${needed}; build the packages first`);
  }
  run(home, bin('publint'), '--strict', packed.filename);
  run(home, bin('attw'), packed.filename, '--profile', 'node16');
  tarballs[packed.name] = `file:${packed.filename}`;
}
console.log(`${Object.keys(tarballs).length} packages packed; publint and attw find no fault.`);

// Every package names the others by version; `overrides` makes these the files just packed.
const user = join(work, 'user');
mkdirSync(user);
writeFileSync(join(user, 'package.json'), JSON.stringify({ private: true, dependencies: tarballs, overrides: tarballs }));
run(user, 'npm', 'install', '--no-audit', '--no-fund', '--ignore-scripts');

const body = `
  const ensemble = await Ensemble.start({ servers: 3 });
  const client = await ensemble.connect();
  await client.create('/smoke', new TextEncoder().encode('fire'));
  const { data } = await client.getData('/smoke');
  if (new TextDecoder().decode(data) !== 'fire') throw new Error('the write is not there');
  await client.close();
  await ensemble.close();`;
writeFileSync(join(user, 'esm.mjs'), `import { Ensemble } from 'quorate';\n${body}\n`);
writeFileSync(join(user, 'cjs.cjs'), `const { Ensemble } = require('quorate');\nvoid (async () => {${body}\n})();\n`);
const names = JSON.stringify(Object.keys(tarballs));
writeFileSync(join(user, 'all.mjs'), `for (const name of ${names}) await import(name);\n`);
writeFileSync(join(user, 'all.cjs'), `for (const name of ${names}) require(name);\n`);
for (const file of ['esm.mjs', 'cjs.cjs', 'all.mjs', 'all.cjs']) run(user, process.execPath, '--throw-deprecation', file);
console.log('Installed from these files, every package loads as ESM and as CommonJS, and an ensemble commits a write in both.');

rmSync(work, { recursive: true });
