/**
 * One program for every place: the connection string alone says where its ensemble is. It begins within the process, in a test or on a laptop, and moves to servers over TCP, ours or Apache ZooKeeper's,
 * without a changed line.
 *
 *     npm run example anywhere                                     three servers in this process
 *     npm run example anywhere -- 127.0.0.1:2181,127.0.0.1:2182/app    servers that run already
 */
import { openEnsemble } from '@quorate/node';
import { Lock } from '@quorate/recipes';
import { CreateMode } from 'quorate';

const at = process.argv[2] ?? 'memory:3/app';
await using place = await openEnsemble(at);
const [writer, reader] = [await place.connect(), await place.connect()];

// A configuration that is followed.
const { path } = await writer.create('/colour-', 'blue', { mode: CreateMode.PERSISTENT_SEQUENTIAL });
await reader.sync();
const colours: string[] = [];
for await (const seen of reader.watchData(path)) {
  const colour = seen === undefined ? 'gone' : new TextDecoder().decode(seen.data);
  colours.push(colour);
  if (colour === 'blue') await writer.setData(path, 'green');
  if (colour === 'green') await writer.delete(path);
  if (colour === 'gone') break;
}
console.log(`the colour was ${colours.join(', then ')}`);

// A lock that one of ten has at a time.
let holders = 0;
let most = 0;
const tokens: number[] = [];
const lock = new Lock(reader, '/locks/door');
const through = Array.from({ length: 10 }, () =>
  lock.run(async ({ fencingToken }) => {
    most = Math.max(most, ++holders);
    tokens.push(fencingToken);
    await writer.sync();
    holders--;
  }),
);
await Promise.all(through);
const ascend = tokens.every((token, index) => index === 0 || token > (tokens[index - 1] as number));
console.log(`${tokens.length} went through the door, ${most} at a time; the tokens ${ascend ? 'ascend' : 'DO NOT ascend'}`);

// All or nothing.
const { path: stock } = await writer.create('/stock-', '1', { mode: CreateMode.EPHEMERAL_SEQUENTIAL });
const order = writer.transaction().check(stock, 0).setData(stock, '0').create('/order-', 'one', { mode: CreateMode.EPHEMERAL_SEQUENTIAL });
await order.commit();
const again = writer.transaction().check(stock, 0).create('/order-', 'another', { mode: CreateMode.EPHEMERAL_SEQUENTIAL });
const refused = await again.commit().then(
  () => 'was taken',
  (error: Error & { code: string }) => `was refused: ${error.code}`,
);
const orders = (await writer.getChildren('/')).children.filter((name) => name.startsWith('order-'));
console.log(`${orders.length} order; the second one ${refused}`);
