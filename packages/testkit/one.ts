import { simulate } from '@quorate/testkit';
const r = simulate({ seed: Number(process.argv[2]) });
console.log(r.violation); console.log(r.lastEvents(Number(process.argv[3] ?? 60), { all: process.argv[4] === 'all' }).join('\n'));
