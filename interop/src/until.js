// Waiting with a limit.

const EACH_MS = 40;
const LIMIT_MS = 20_000;

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What `find` gives once it gives something; an error that names `what` after the limit. */
export async function until(what, find, limit = LIMIT_MS) {
  const end = Date.now() + limit;
  for (;;) {
    const found = await find();
    if (found !== undefined && found !== null && found !== false) return found;
    if (Date.now() > end) throw new Error(`waited ${limit / 1000} s for ${what}, in vain`);
    await pause(EACH_MS);
  }
}
