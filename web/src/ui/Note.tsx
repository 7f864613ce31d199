import { IconAlertTriangle, IconBulb, IconCircleCheck, IconInfoCircle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import css from './Note.module.css';

const ICONS = {
  info: IconInfoCircle,
  advice: IconBulb,
  good: IconCircleCheck,
  warn: IconAlertTriangle,
  bad: IconAlertTriangle,
};

/** A word beside the matter: advice, a warning, a failure. */
export function Note({
  tone = 'info',
  title,
  role,
  children,
}: {
  tone?: keyof typeof ICONS;
  title?: ReactNode;
  role?: 'alert' | 'status';
  children?: ReactNode;
}) {
  const Icon = ICONS[tone];
  return (
    <div className={css.note} data-tone={tone} role={role}>
      <Icon size={20} stroke={1.75} className={css.icon} aria-hidden />
      <div className={css.text}>
        {title && <p className={css.title}>{title}</p>}
        {children}
      </div>
    </div>
  );
}
