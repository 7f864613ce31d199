import type { ReactNode } from 'react';
import css from './Facts.module.css';

export type Fact = { label: string; value: ReactNode; hint?: string; copy?: ReactNode };

/** What is known of one thing: names at the left, values at the right. */
export function Facts({ facts }: { facts: Fact[] }) {
  return (
    <dl className={css.facts}>
      {facts.map(({ label, value, hint, copy }) => (
        <div key={label} className={css.fact}>
          <dt>
            {label}
            {hint && <span className={css.hint}>{hint}</span>}
          </dt>
          <dd>
            <span className={css.value}>{value}</span>
            {copy}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** An id, a number, an address: what machines read. */
export const Mono = ({ children }: { children: ReactNode }) => (
  <code className={css.mono} translate="no">
    {children}
  </code>
);
