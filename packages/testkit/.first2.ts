import { simulate } from '/work/main/packages/testkit/src/index.ts';

const t = process.cpuUsage();
let v = 0,
  i = 0,
  e = 0;
for (let s = 1; s <= 60; s++) {
  const r = simulate({ seed: s });
  v += r.virtualMs;
  i += r.inputs;
  e += r.events;
}
const u = process.cpuUsage(t);
const sec = (u.user + u.system) / 1e6;
console.log(
  'cpu s',
  sec.toFixed(1),
  'vs/s',
  (v / 1000 / sec).toFixed(0),
  'inputs/s',
  (i / sec).toFixed(0),
  'events/s',
  (e / sec).toFixed(0),
  'seeds/s',
  (60 / sec).toFixed(1),
);
