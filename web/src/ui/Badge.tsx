import type { ReactNode } from 'react';
import css from './Badge.module.css';

export type Tone = 'good' | 'warn' | 'bad' | 'idle' | 'accent';

/** A state in words and colour. `live` gives its dot a slow pulse. */
export function Badge({
  tone = 'idle',
  dot,
  live,
  children,
}: {
  tone?: Tone;
  dot?: boolean;
  live?: boolean;
  children: ReactNode;
}) {
  return (
    <span className={css.badge} data-tone={tone}>
      {(dot || live) && <span className={css.dot} data-live={live || undefined} aria-hidden />}
      {children}
    </span>
  );
}
