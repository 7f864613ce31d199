import { Title } from '@mantine/core';
import { IconArrowLeft } from '@tabler/icons-react';
import { useEffect, useRef, type ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import css from './Page.module.css';
import { clean } from './text';

type Props = {
  /** Also the title of the browser's tab. */
  title: string;
  /** Shown instead of `title` where the heading holds more than text. */
  heading?: ReactNode;
  intro?: ReactNode;
  /** Buttons at the right of the title; below it on a phone. */
  actions?: ReactNode;
  /** A way up: where to and its words. */
  back?: { href: string; label: string };
  children: ReactNode;
};

/** One page of a room. Its title takes the focus when one comes here from another page. */
export function Page({ title, heading, intro, actions, back, children }: Props) {
  const focus = useArrival();
  useTitle(title);
  return (
    <div className={css.page}>
      <header className={css.head}>
        {back && (
          <Link href={back.href} className={css.back}>
            <IconArrowLeft size={16} aria-hidden /> {back.label}
          </Link>
        )}
        <div className={css.row}>
          <Title order={1} ref={focus} tabIndex={-1} className={css.title}>
            {heading ?? clean(title)}
          </Title>
          {actions && <div className={css.actions}>{actions}</div>}
        </div>
        {intro && <div className={css.intro}>{intro}</div>}
      </header>
      {children}
    </div>
  );
}

/** The tab's title while this is shown. */
export function useTitle(title: string) {
  useEffect(() => {
    document.title = title ? `${clean(title)} · recado` : 'recado';
  }, [title]);
}

/** False until the first page has been drawn: that one keeps the browser's own focus. */
let arrived = false;

/** A heading that takes the focus when the address changes, so that readers hear where they are. */
export function useArrival() {
  const heading = useRef<HTMLHeadingElement>(null);
  const [location] = useLocation();
  useEffect(() => {
    if (arrived) heading.current?.focus({ preventScroll: true });
    arrived = true;
  }, [location]);
  return heading;
}
