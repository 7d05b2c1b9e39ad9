/**
 * The import table: what each folder of packages/ is, and which packages of this workspace its source may import.
 * ARCHITECTURE.md explains it, eslint.config.js enforces it, test/architecture.test.ts keeps the two and every package.json in step.
 *
 * Kinds: `core` knows neither time, chance nor promises; `web` runs wherever JavaScript does and awaits only what it was given;
 * `node` touches the operating system. `platform` names the one folder of a package that wraps the platform for all the others.
 *
 * @typedef {{
 *   readonly kind: 'core' | 'web' | 'node',
 *   readonly imports: readonly string[],
 *   readonly libraries?: readonly string[],
 *   readonly platform?: string,
 * }} PackageRules
 * @type {Readonly<Record<string, PackageRules>>}
 */
export const packages = {
  protocol: { kind: 'core', imports: [] },
  ports: { kind: 'core', imports: [], platform: 'src/platform' },
  zab: { kind: 'core', imports: ['protocol', 'ports'] },
  log: { kind: 'core', imports: ['protocol', 'ports', 'zab'] },
  tree: { kind: 'core', imports: ['protocol'] },
  session: { kind: 'core', imports: ['protocol'] },
  server: { kind: 'core', imports: ['protocol', 'ports', 'zab', 'tree', 'session'], libraries: ['@noble/hashes'] },
  client: { kind: 'web', imports: ['protocol', 'ports'] },
  recipes: { kind: 'web', imports: ['protocol', 'ports', 'client'] },
  quorate: { kind: 'web', imports: ['protocol', 'ports', 'server', 'client', 'recipes'] },
  testkit: {
    kind: 'web',
    imports: ['protocol', 'ports', 'zab', 'log', 'tree', 'session', 'server', 'client', 'recipes', 'quorate'],
    libraries: ['fast-check'],
  },
  node: {
    kind: 'node',
    imports: ['protocol', 'ports', 'zab', 'log', 'tree', 'session', 'server', 'client', 'recipes', 'quorate'],
    libraries: ['prom-client', 'ws'],
  },
  cli: { kind: 'node', imports: ['protocol', 'client', 'node'] },
};

/**
 * @param {string} folder a folder of packages/
 * @returns the name under which the package is published
 */
export function npmName(folder) {
  return folder === 'quorate' ? 'quorate' : `@quorate/${folder}`;
}
