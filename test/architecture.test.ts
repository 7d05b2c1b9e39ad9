import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { npmName, packages } from '../architecture.js';

const root = resolve(import.meta.dirname, '..');
const folders = Object.keys(packages);

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8')) as Manifest;
}

function rulesOf(folder: string): (typeof packages)[string] {
  const rules = packages[folder];
  if (rules === undefined) throw new Error(`architecture.js has no package ${folder}`);
  return rules;
}

/** The rows of the package table: a folder, its npm name, its purpose, what it may import, its kind. */
function tableOfArchitecture(): { folder: string; name: string; imports: string[]; kind: string }[] {
  const rows = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8').match(/^\| `[a-z]+` +\| `.*$/gm) ?? [];
  return rows.map((row) => {
    const [, folder = '', name = '', , imports = '', kind = ''] = row.split('|').map((cell) => cell.trim());
    const names = imports === '–' ? [] : imports.split(', ');
    return { folder: folder.replaceAll('`', ''), name: name.replaceAll('`', ''), imports: names, kind };
  });
}

/** Every TypeScript file of a package: its source, its tests. */
function filesOf(folder: string): string[] {
  return ['src', 'test'].flatMap((part) => {
    const base = join(root, 'packages', folder, part);
    if (!existsSync(base)) return [];
    return readdirSync(base, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(base, name));
  });
}

function importsOf(file: string): string[] {
  const statements = readFileSync(file, 'utf8').matchAll(/(?:\bfrom|\bimport\s*\(?)\s*'([^']+)'/g);
  return [...statements].map((match) => match[1] ?? '');
}

describe('ARCHITECTURE.md, architecture.js and packages/ agree', () => {
  test('on the packages there are', () => {
    expect(
      readdirSync(join(root, 'packages'), { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name)
        .sort(),
    ).toEqual(folders.toSorted());
  });

  test('on names, imports and kinds', () => {
    expect(tableOfArchitecture()).toEqual(
      folders.map((folder) => ({ folder, name: npmName(folder), imports: rulesOf(folder).imports, kind: rulesOf(folder).kind })),
    );
  });

  test.each(folders)('on the manifest and compiler settings of %s', (folder) => {
    const { name, dependencies = {}, peerDependencies = {} } = manifestOf(folder);
    const { imports, libraries = [], kind } = rulesOf(folder);
    expect(name).toBe(npmName(folder));
    const allowed = [...imports.map(npmName), ...libraries];
    expect(Object.keys({ ...dependencies, ...peerDependencies }).filter((dependency) => !allowed.includes(dependency))).toEqual([]);
    expect(readFileSync(join(root, 'packages', folder, 'tsconfig.json'), 'utf8')).toContain(`"../../tsconfig.${kind}.json"`);
  });

  test('on one version for all', () => {
    expect(new Set(folders.map((folder) => manifestOf(folder).version)).size).toBe(1);
  });

  test('on an order: a package imports only what stands above it in the table, so there is no cycle', () => {
    for (const [index, folder] of folders.entries()) {
      expect(folders.slice(0, index), folder).toEqual(expect.arrayContaining([...rulesOf(folder).imports]));
    }
  });
});

describe.each(folders)('files of %s', (folder) => {
  const files = filesOf(folder);

  test('reach other packages by name, never by path', () => {
    const home = join(root, 'packages', folder);
    const strays = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => target.startsWith('.') && relative(home, resolve(file, '..', target)).startsWith('..'))
        .map((target) => `${relative(root, file)} imports ${target}`),
    );
    expect(strays).toEqual([]);
    expect(files.filter((file) => importsOf(file).some((target) => /^(@quorate\/[^/]+|quorate)\//.test(target)))).toEqual([]);
  });

  test('are named for their one idea', () => {
    const misnamed = files.filter((file) => {
      const name = basename(file).replace(/(\.test|\.d)?\.ts$/, '');
      return !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) || /^(utils?|helpers?|common|misc|types)$/.test(name);
    });
    expect(misnamed, 'kebab-case, and not utils, helpers, common, misc or types').toEqual([]);
  });

  test('switch no check off', () => {
    const switches = /(biome|eslint)-(ignore|disable)|@ts-(ignore|nocheck|expect-error)/;
    expect(files.filter((file) => switches.test(readFileSync(file, 'utf8')))).toEqual([]);
  });
});
