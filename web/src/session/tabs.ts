/**
 * What the tabs of one browser tell each other: they share one session. A word only makes the others
 * look; the gateway alone says who is signed in.
 */
export type Word = 'in' | 'out';

const channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('recado.session');

/** `in`: this tab signed in or switched the account; `out`: it ended a session. */
export const tell = (word: Word) => channel?.postMessage(word);

/** Hears what the other tabs tell. Gives back what ends it. */
export function hear(listen: (word: Word) => void): () => void {
  const take = ({ data }: MessageEvent<unknown>) => {
    if (data === 'in' || data === 'out') listen(data);
  };
  channel?.addEventListener('message', take);
  return () => channel?.removeEventListener('message', take);
}
