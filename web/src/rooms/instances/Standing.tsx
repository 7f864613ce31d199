import { useTranslation } from 'react-i18next';
import type { Instance } from '@/api/types';
import { Badge } from '@/ui';
import { knownReason, standing } from './state';

/** How an instance stands, in words and colour. */
export function StateBadge({ instance }: { instance: Instance }) {
  const { t } = useTranslation('instances');
  const { key, tone, moving } = standing(instance.state, instance.paired);
  return (
    <Badge tone={tone} dot live={moving}>
      {t(`state.${key}`)}
    </Badge>
  );
}

/** Why it stands so and what to do: in our words, or the gateway's where it knows more than this page. */
export function Reason({ instance }: { instance: Instance }) {
  const { t } = useTranslation('instances');
  const reason = knownReason(instance.reason);
  // "Connected" needs no reason, whatever the last one was.
  if (instance.state === 'connected') return null;
  return <>{reason ? t(`reason.${reason}`) : instance.hint}</>;
}
