/** Watches: a configuration that follows its writer, through the crash of the server that the reader is connected to. */
import { type Client, Ensemble } from 'quorate';

const ensemble = await Ensemble.start({ servers: 3 });
const writer = await ensemble.connect({ server: 1 });
const reader = await ensemble.connect({ server: 2 });

/** Reads, and reads again on every change. A watch fires once, so each read leaves the next. */
async function follow(client: Client, path: string, onValue: (value: string) => void): Promise<void> {
  const read = async (): Promise<void> => {
    const { data } = await client.getData(path, { watch: () => void read() });
    onValue(new TextDecoder().decode(data));
  };
  await read();
}

await writer.create('/colour', 'red');
await reader.sync('/colour');
const values: string[] = [];
let changed = () => {};
await follow(reader, '/colour', (value) => {
  values.push(value);
  changed();
});
const until = (value: string) =>
  new Promise<void>((resolve) => {
    changed = () => values.includes(value) && resolve();
    changed();
  });

await writer.setData('/colour', 'green');
await until('green');

// The reader's server goes. Its client goes on at another one and sets its watches there again.
ensemble.crash(2);
await writer.setData('/colour', 'blue');
await until('blue');
console.log(`the reader saw ${values.join(', ')}`);

await ensemble.close();
