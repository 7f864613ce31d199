// Plays every case in both directions and prints what came of each. Started by `cargo xtask interop`, which says in
// RECADO_INTEROP (JSON) where everything is: gateway, receiver, network, bearer, instance, shop, customer.

import { cases } from './cases.js';
import { Gateway } from './gateway.js';
import { Peer } from './peer.js';

const WAYS = ['out', 'in'];
const WIDTH = Math.max(...cases.map(({ name }) => name.length)) + 2;

/** `ok`, or what was wrong. */
async function played(play, bed) {
  if (!play) return '-';
  try {
    await play(bed);
    return 'ok';
  } catch (error) {
    return { error };
  }
}

async function playAll(bed, only) {
  const faults = [];
  let count = 0;
  console.log(`${'case'.padEnd(WIDTH)}out     in`);
  for (const each of cases.filter(({ name }) => name.includes(only))) {
    const outcomes = [];
    for (const way of WAYS) {
      const outcome = await played(each[way], bed);
      if (outcome.error) faults.push({ name: each.name, way, error: outcome.error });
      if (outcome !== '-') count += 1;
      outcomes.push(outcome.error ? 'FAILED' : outcome);
    }
    console.log(each.name.padEnd(WIDTH) + outcomes.map((outcome) => outcome.padEnd(8)).join(''));
  }
  for (const { name, way, error } of faults) {
    console.log(`\n${name}, ${way}: ${error.stack ?? error}`);
  }
  console.log(count ? `\n${count - faults.length} of ${count} hold.` : `No case has "${only}" in its name.`);
  return count > 0 && faults.length === 0;
}

const told = JSON.parse(process.env.RECADO_INTEROP);
const peer = new Peer(told);
await peer.link();
const right = await playAll({ gateway: new Gateway(told), peer }, process.argv[2] ?? '');
await peer.leave();
process.exit(right ? 0 : 1);
