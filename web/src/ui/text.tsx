/**
 * Marks that are not seen but act: controls, zero width (a joiner inside an emoji stays), direction.
 * Written as code points, so that this file has none itself.
 */
const UNSEEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g;

/** Text from people without what cannot be seen. */
export const clean = (text: string) => text.replace(UNSEEN, '');

/** Text that a person wrote: a name, a label. It stays text, and its direction stays its own. */
export function UserText({ children }: { children: string | null | undefined }) {
  return <bdi>{clean(children ?? '')}</bdi>;
}
