import { Title } from '@mantine/core';
import { useId, type ReactNode } from 'react';
import css from './Panel.module.css';

type Props = {
  title?: ReactNode;
  intro?: ReactNode;
  actions?: ReactNode;
  /** `bad` for what destroys, `quiet` for what is beside the point. */
  tone?: 'plain' | 'quiet' | 'bad';
  /** Without inner space: for tables that reach the edge. */
  flush?: boolean;
  children?: ReactNode;
};

/** A card with a hairline: one matter of a page. */
export function Panel({ title, intro, actions, tone = 'plain', flush, children }: Props) {
  const id = useId();
  return (
    <section className={css.panel} data-tone={tone} aria-labelledby={title ? id : undefined}>
      {(title || actions) && (
        <header className={css.head}>
          <div>
            {title && (
              <Title order={2} id={id} className={css.title}>
                {title}
              </Title>
            )}
            {intro && <div className={css.intro}>{intro}</div>}
          </div>
          {actions && <div className={css.actions}>{actions}</div>}
        </header>
      )}
      {children && <div className={flush ? css.flush : css.body}>{children}</div>}
    </section>
  );
}
