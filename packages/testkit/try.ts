import { simulate } from '@quorate/testkit';
const from = Number(process.argv[2] ?? 1), n = Number(process.argv[3] ?? 20);
const t0 = performance.now(); let v = 0, ev = 0, inp = 0; const sums = new Map<string, number>(); const fails = new Map<string, number[]>();
for (let s = from; s < from + n; s++) {
  const r = simulate({ seed: s });
  v += r.virtualMs; ev += r.events; inp += r.inputs;
  for (const [k, c] of r.sometimes) sums.set(k, (sums.get(k) ?? 0) + c);
  if (r.violation) { const k = r.violation.property; fails.set(k, [...(fails.get(k) ?? []), s]); if ((fails.get(k) as number[]).length <= 2) { console.log(s, r.violation.property, r.violation.message.slice(0, 600)); if (process.argv[4]) console.log(r.lastEvents(Number(process.argv[4])).join('\n')); } }
}
const dt = (performance.now() - t0) / 1000;
console.log({ seeds_s: n / dt, vs_s: v / 1000 / dt, ev_s: ev / dt, inputs_s: inp / dt }); console.log(fails); console.log(sums);
