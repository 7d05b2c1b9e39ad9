/** What the model checker says to people. */
import type { Scope } from '@quorate/testkit';
import type { ModelOutcome } from './run.ts';

export function scopeName(scope: Scope): string {
  const { servers, txns, crashes, timeouts, cuts, elections, from, orders, wipes, damaged = 0, beats, handOvers, epochTxnsMax } = scope;
  const optional = [
    wipes > 0 ? `${wipes} wiped` : '',
    damaged > 0 ? `${damaged} copies lost` : '',
    beats > 0 ? `${beats} beats` : '',
    handOvers > 0 ? `${handOvers} hand-overs` : '',
    epochTxnsMax !== undefined ? `${epochTxnsMax} txns an epoch` : '',
    timeouts > 0 ? `${timeouts} timeouts` : '',
    cuts > 0 ? `${cuts} cuts` : '',
    from === 'start' ? `rounds up to ${elections}` : `${elections} elections`,
    orders === 'all' ? 'every order' : '',
  ];
  return `(${servers} servers, ${txns} txns, ${crashes} crashes) from ${from}, ${optional.filter(Boolean).join(', ')}`;
}

const count = (value: number): string => Math.round(value).toLocaleString('en');

export function line(scope: Scope, outcome: ModelOutcome): string {
  const { states, transitions, depth, seconds, rssBytes, bounded, exhausted, violation } = outcome;
  const end =
    violation !== undefined
      ? `VIOLATION of ${violation.property} at depth ${violation.depth}: ${violation.message}`
      : exhausted
        ? `exhausted${bounded > 0 ? `, ${count(bounded)} states at the bound of elections` : ''}`
        : 'NOT EXHAUSTED';
  const rates = `${count(states / seconds)} states/s, ${count(transitions / seconds)} transitions/s, ${count(rssBytes / 1e6)} MB`;
  return `${scopeName(scope)}: ${count(states)} states, ${count(transitions)} transitions, depth ${depth}, ${seconds.toFixed(1)} s (${rates}): ${end}`;
}
