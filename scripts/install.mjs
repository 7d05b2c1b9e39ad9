// Makes the workspace ready with nothing but Node and npm, and says nothing when it already is.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { packageManager } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
const stampFile = `${root}node_modules/.quorate-installed`;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Quorate needs Node 20.19 or newer; this is Node ${process.versions.node}.`);
  process.exit(1);
}

// A digest of what was installed, because the file times of a fresh clone say nothing.
const hash = createHash('sha256').update(packageManager + process.platform + process.arch);
for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml']) hash.update(readFileSync(root + file));
const stamp = hash.digest('hex');

if (installedStamp() !== stamp) {
  console.log(`Installing the workspace with ${packageManager} …`);
  const install = spawnSync(
    'npx',
    ['-y', packageManager, 'install', '--frozen-lockfile', '--reporter=append-only', '--config.confirmModulesPurge=false'],
    {
      cwd: root,
      env: withoutNpmSettings(process.env),
      encoding: 'utf8',
      shell: process.platform === 'win32',
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  if (install.status !== 0) {
    console.error(install.stdout + install.stderr);
    console.error(install.error?.message ?? `The installation ended with status ${install.status ?? install.signal}.`);
    process.exit(1);
  }
  writeFileSync(stampFile, stamp);
}

function installedStamp() {
  try {
    return readFileSync(stampFile, 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * Inside `npm test` npm hands its own settings down as npm_config_*. Only where packages come from matters to another
 * package manager; the rest would be read as pnpm's settings.
 * @param {NodeJS.ProcessEnv} env
 */
function withoutNpmSettings(env) {
  const kept = /^npm_config_(.*registry|userconfig|globalconfig|cache|.*proxy|cafile|ca|strict_ssl|\/\/.*)$/i;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^npm_config_/i.test(name) || kept.test(name)));
}
