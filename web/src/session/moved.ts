/**
 * The session is another account's or person's than the page shows. All that the page knows is of
 * somebody else, so it is loaded anew, from the start; the next one says what happened.
 */
import { HOME } from '@/base';

const KEY = 'recado.moved';

/** The account that the page showed before it was loaded anew; null when it was not. */
let before: string | null = take();

function take(): string | null {
  try {
    const found = sessionStorage.getItem(KEY);
    sessionStorage.removeItem(KEY);
    return found;
  } catch {
    // Storage may be forbidden: then the page comes without the word.
    return null;
  }
}

export const shownBefore = () => before;

export function forgetBefore() {
  before = null;
}

let leaving = false;

/** Loads the page anew. `account`: the name of the one that it shows. */
export function startAnew(account: string) {
  if (leaving) return;
  leaving = true;
  try {
    sessionStorage.setItem(KEY, account);
  } catch {
    // As above.
  }
  if (window.location.pathname === HOME) window.location.reload();
  else window.location.replace(HOME);
}
