/** A consumer in a process of its own: `node … consume.ts ORDERS`, in JSON. It says when it has come into the group, and works until it is killed or its parent is gone. */
import { connect } from '@quorate/node';
import { Consumer } from './consumer.ts';
import { EmbeddedBroker } from './embedded-broker.ts';
import { Ledger } from './ledger.ts';
import { NatsBroker } from './nats-broker.ts';
import { MESSAGES, type Orders, SESSION_TIMEOUT_MS, SPOILT } from './orders.ts';

const { connectString, nats, topic, group, name, ledgers } = JSON.parse(process.argv[2] ?? '') as Orders;
process.on('disconnect', () => process.exit(1));

const client = await connect(connectString, { sessionTimeoutMs: SESSION_TIMEOUT_MS });
// A process whose session has ended is nobody any more: whoever has started it starts it again.
client.onState((state) => {
  if (state === 'EXPIRED') process.exit(1);
});
const broker = nats === undefined ? new EmbeddedBroker(client, { root: MESSAGES }) : await NatsBroker.connect({ servers: nats });
const ledger = new Ledger(ledgers, name);
const { ballot } = await Consumer.join({
  client,
  broker,
  topic,
  group,
  name,
  handler(message, { fencingToken }) {
    if (message.body === SPOILT) throw new Error('it is spoilt');
    ledger.write(message, fencingToken);
  },
});
const votes = [...ballot.votes].map(([voter, choice]) => `${voter} says ${choice}`);
console.log(`ready: ${name} has come in, ${votes.join(', ') || 'and nobody was there to ask'}`);
