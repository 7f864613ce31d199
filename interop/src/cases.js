// The table of cases: `out` is from the gateway to Baileys, `in` from Baileys to the gateway. To add one: an object
// with a name and both ways in the file of its noun. A way fails by throwing.

import { acts } from './cases/acts.js';
import { chats } from './cases/chats.js';
import { devices } from './cases/devices.js';
import { groups } from './cases/groups.js';
import { hidden } from './cases/hidden.js';
import { media } from './cases/media.js';
import { polls } from './cases/polls.js';
import { texts } from './cases/texts.js';

export const cases = [...texts, ...media, ...polls, ...acts, ...hidden, ...devices, ...chats, ...groups];
