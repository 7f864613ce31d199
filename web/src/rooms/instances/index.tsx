import { Button, CloseButton, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconDeviceMobilePlus, IconPlus, IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { PAGE_SIZE, useInstances } from '@/api/hooks/instances';
import { useMay } from '@/session/member';
import { clean, EmptyState, ErrorNote, Loading, Page } from '@/ui';
import { CreateInstance } from './CreateInstance';
import { List, Pages, Summary } from './List';
import css from './List.module.css';

/** All instances of the account, as they stand now. */
export default function InstancesRoom() {
  const { t } = useTranslation('instances');
  const [text, setText] = useState('');
  const [query] = useDebouncedValue(text.trim(), 250);
  const [page, setPage] = useState(1);
  const [creating, setCreating] = useState(false);
  const list = useInstances(page, query);
  const data = list.data;
  const mayCreate = useMay('developer');
  const none = data !== undefined && data.total === 0 && query === '' && text === '';
  const create = (
    <Button leftSection={<IconPlus size={18} />} onClick={() => setCreating(true)}>
      {t('new')}
    </Button>
  );

  return (
    <Page title={t('title')} intro={t('intro')} actions={mayCreate && !none && create}>
      <ErrorNote error={list.error} onRetry={() => void list.refetch()} />
      {!data && !list.error && <Loading />}
      {none && (
        <EmptyState
          icon={<IconDeviceMobilePlus size={28} stroke={1.6} />}
          title={mayCreate ? t('empty.title') : t('title')}
          action={mayCreate && create}
        >
          {mayCreate ? t('empty.text') : t('empty.viewer')}
        </EmptyState>
      )}
      {data && !none && (
        <>
          <div className={css.tools}>
            <TextInput
              className={css.search}
              type="search"
              aria-label={t('search')}
              placeholder={t('search')}
              leftSection={<IconSearch size={18} aria-hidden />}
              rightSection={
                text && <CloseButton aria-label={t('clearSearch')} onClick={() => setText('')} />
              }
              value={text}
              onChange={(event) => {
                setText(event.currentTarget.value);
                setPage(1);
              }}
              autoComplete="off"
              spellCheck={false}
            />
            <Summary summary={data.summary} />
          </div>
          {data.instances.length > 0 ? (
            <List instances={data.instances} />
          ) : (
            <EmptyState title={t('nothingFound.title')}>
              {t('nothingFound.text', { query: clean(query) })}
            </EmptyState>
          )}
          <Pages page={page} of={Math.ceil(data.total / PAGE_SIZE)} onPage={setPage} />
          <p role="status" className="unseen">
            {query && t('count', { count: data.total })}
          </p>
        </>
      )}
      <CreateInstance opened={creating} onClose={() => setCreating(false)} />
    </Page>
  );
}
