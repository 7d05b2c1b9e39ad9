/** Our server, in a process of its own that ends with the one that has forked it: an ensemble of one, in memory, behind a port of 127.0.0.1. */
import { listen } from '@quorate/node';
import { Ensemble } from 'quorate';

process.on('disconnect', () => process.exit());
const ensemble = await Ensemble.start({ servers: 1 });
const listener = await listen(ensemble, { host: '127.0.0.1', port: 0 });
process.send?.(listener.port);
