import { useEffect, useRef } from 'react';
import { Link, useLocation } from 'wouter';
import css from './Tabs.module.css';

/** Links to the parts of the room. On a phone they scroll sideways. */
export function Tabs({ label, tabs }: { label: string; tabs: { path: string; label: string }[] }) {
  const [location] = useLocation();
  const current = useRef<HTMLAnchorElement>(null);
  useEffect(() => {
    current.current?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [location]);
  return (
    <nav aria-label={label} className={css.tabs}>
      <ul>
        {tabs.map(({ path, label: words }) => {
          const here = location === `/security/${path}`;
          return (
            <li key={path}>
              <Link
                href={`/security/${path}`}
                ref={here ? current : undefined}
                aria-current={here ? 'page' : undefined}
              >
                {words}
              </Link>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}
