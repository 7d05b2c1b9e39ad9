/** An ensemble inside the process: no port, no file, nothing to install or to clean up. */
import { CreateMode, Ensemble, isZooKeeperError } from 'quorate';

const ensemble = await Ensemble.start({ servers: 3 });
const client = await ensemble.connect();

await client.create('/jobs');
const first = await client.create('/jobs/job-', 'mow the lawn', { mode: CreateMode.PERSISTENT_SEQUENTIAL });
const { data, stat } = await client.getData(first.path);
console.log(`${first.path}: ${new TextDecoder().decode(data)}, version ${stat.version}`);

// Optimistic locking: a write names the version that it was made from.
await client.setData(first.path, 'mow the lawn twice', { version: stat.version });
try {
  await client.setData(first.path, 'do not mow', { version: stat.version });
} catch (error) {
  if (!isZooKeeperError(error, 'BAD_VERSION')) throw error;
  console.log('somebody else was faster: BAD_VERSION');
}

// All or nothing.
await client.multi([
  { op: 'check', path: first.path, version: 1 },
  { op: 'create', path: '/done' },
  { op: 'create', path: '/done/job', data: 'mown' },
  { op: 'delete', path: first.path },
]);
console.log(`jobs: ${(await client.getChildren('/jobs')).children.length}, done: ${(await client.getChildren('/done')).children.length}`);

await ensemble.close();
