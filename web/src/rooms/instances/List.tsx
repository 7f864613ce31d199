import { Button } from '@mantine/core';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { Instance } from '@/api/types';
import { UserText } from '@/ui';
import css from './List.module.css';
import { shown } from './phone';
import { Reason, StateBadge } from './Standing';
import { standing, STATES } from './state';

export function List({ instances }: { instances: Instance[] }) {
  const { t } = useTranslation('instances');
  return (
    <ul className={css.list} aria-label={t('title')}>
      {instances.map((instance) => (
        <Row key={instance.id} instance={instance} />
      ))}
    </ul>
  );
}

function Row({ instance }: { instance: Instance }) {
  const { t } = useTranslation('instances');
  const { phone, push_name } = instance;
  return (
    <li className={css.row}>
      <div className={css.who}>
        <Link href={`/instances/${encodeURIComponent(instance.id)}`} className={css.name}>
          <UserText>{instance.name}</UserText>
        </Link>
        <span className={css.reason}>
          <Reason instance={instance} />
        </span>
      </div>
      <div className={css.phone}>
        {phone ? (
          <>
            <span className={css.number}>{shown(phone)}</span>
            {push_name && (
              <span className={css.push}>
                <UserText>{push_name}</UserText>
              </span>
            )}
          </>
        ) : (
          <span className={css.push}>{t('noNumber')}</span>
        )}
      </div>
      <div className={css.state}>
        <StateBadge instance={instance} />
      </div>
      <IconChevronRight size={18} className={css.arrow} aria-hidden />
    </li>
  );
}

/** How many stand how, over all pages. */
export function Summary({ summary }: { summary: Record<string, number> }) {
  const { t } = useTranslation('instances');
  const counted = STATES.filter((state) => (summary[state] ?? 0) > 0);
  return (
    <ul className={css.summary} aria-label={t('summary')}>
      {counted.map((state) => (
        <li key={state} data-tone={standing(state).tone}>
          <b>{summary[state]}</b> {t(`state.${state}`)}
        </li>
      ))}
    </ul>
  );
}

export function Pages({
  page,
  of,
  onPage,
}: {
  page: number;
  of: number;
  onPage: (page: number) => void;
}) {
  const { t } = useTranslation('instances');
  if (of <= 1 && page === 1) return null;
  return (
    <nav className={css.pages} aria-label={t('page', { page, pages: of })}>
      <Button
        variant="default"
        leftSection={<IconChevronLeft size={16} />}
        disabled={page <= 1}
        onClick={() => onPage(page - 1)}
      >
        {t('previous')}
      </Button>
      <span>{t('page', { page, pages: of })}</span>
      <Button
        variant="default"
        rightSection={<IconChevronRight size={16} />}
        disabled={page >= of}
        onClick={() => onPage(page + 1)}
      >
        {t('next')}
      </Button>
    </nav>
  );
}
