import { useTranslation } from 'react-i18next';
import type { Instance } from '@/api/types';
import { CopyButton, UserText, When } from '@/ui';
import { Facts, Mono } from '../parts/Facts';

/** What programs call this instance. */
export function Identifiers({ instance }: { instance: Instance }) {
  const { t } = useTranslation('instances');
  const number = String(instance.session_id);
  return (
    <Facts
      facts={[
        {
          label: t('facts.id'),
          hint: t('facts.idHint'),
          value: <Mono>{instance.id}</Mono>,
          copy: <CopyButton value={instance.id} what={t('facts.id')} />,
        },
        {
          label: t('facts.sessionId'),
          hint: t('facts.sessionHint'),
          value: <Mono>{number}</Mono>,
          copy: <CopyButton value={number} what={t('facts.sessionId')} />,
        },
        {
          label: t('facts.webhook'),
          value: instance.webhook ? <UserText>{instance.webhook}</UserText> : t('facts.noWebhook'),
        },
        { label: t('facts.created'), value: <When at={instance.created_at} exact /> },
      ]}
    />
  );
}
