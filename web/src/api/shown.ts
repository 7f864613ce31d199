/**
 * Whom the page shows: account and person. All tabs of a browser share one session, and another tab
 * may have moved it; so each call names both, and the gateway does nothing when they are not the
 * session's any more.
 */
export type Shown = { account: string; user: string };

let shown: Shown | null = null;

/** Told by what draws the page (`session/member`); null while nobody is shown. */
export function show(next: Shown | null) {
  shown = next;
}

export const whoIsShown = () => shown;

export const isShown = (who: Shown | null) =>
  who?.account === shown?.account && who?.user === shown?.user;

export const naming = (who: Shown | null): Record<string, string> =>
  who ? { 'x-recado-account': who.account, 'x-recado-user': who.user } : {};
