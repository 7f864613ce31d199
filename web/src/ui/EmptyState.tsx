import { Title } from '@mantine/core';
import type { ReactNode } from 'react';
import css from './EmptyState.module.css';

/** Where nothing is yet: what it is for and the first step. */
export function EmptyState({
  icon,
  title,
  children,
  action,
}: {
  icon?: ReactNode;
  title: ReactNode;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className={css.empty}>
      {icon && <div className={css.icon}>{icon}</div>}
      <Title order={2} size="h2">
        {title}
      </Title>
      {children && <div className={css.text}>{children}</div>}
      {action && <div className={css.action}>{action}</div>}
    </div>
  );
}
