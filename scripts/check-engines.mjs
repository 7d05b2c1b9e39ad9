// `npm run check:engines`: seeds of the simulator leave the same traces on this Node and on Node 24.
//
//     npm run check:engines                                          seeds 1 to 3 of each level
//     npm run check:engines -- --seeds 60 --from 100 --node 22       others, on another Node
//
// Exit status 1 where a trace differs.
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '3' },
    from: { type: 'string', default: '1' },
    node: { type: 'string', default: '24' },
  },
});

const other = ['npx', '-y', '-p', `node@${values.node}`, 'node'];

/**
 * The trace hashes that the simulator has on an engine, a line for each seed.
 * @param {string[]} engine the command that runs it
 * @param {string} level
 */
function hashes(engine, level) {
  const simulator = ['--conditions=@quorate/source', '--import', 'tsx', 'scripts/sim.ts', '--hashes'];
  return output([...engine, ...simulator, '--level', level, '--seeds', values.seeds, '--from', values.from]);
}

/**
 * What a command prints.
 * @param {string[]} command
 * @returns {Promise<string>}
 */
function output([file = '', ...args]) {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'], shell: process.platform === 'win32' });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => (status === 0 ? resolve(text) : reject(new Error(`${file} has ended with status ${status}`))));
  });
}

const version = (await output([...other, '--version'])).trim();
for (const level of ['zab', 'server']) {
  const [here, there] = await Promise.all([hashes([process.execPath], level), hashes(other, level)]);
  const lines = here.trim().split('\n');
  if (here !== there || lines.length !== Number(values.seeds)) {
    console.error(`Node ${process.version}:\n${here}\nNode ${version}:\n${there}\nThe traces differ.`);
    process.exit(1);
  }
  console.log(`${lines.join('\n')}\n${lines.length} traces are the same on Node ${process.version} and ${version}`);
}
