/**
 * The token of a link stands in the fragment, which no server sees. It is taken out of the address
 * bar at once, so that it stays neither in the history nor in a picture of the screen, and lives
 * only here until the page is left.
 */
let token: string | null = null;

/** The token that this page was opened with. */
export function takeToken(): string | null {
  const found = window.location.hash.slice(1);
  if (found) {
    token = found;
    window.history.replaceState(
      window.history.state,
      '',
      window.location.pathname + window.location.search,
    );
  }
  return token;
}

export function dropToken() {
  token = null;
}
