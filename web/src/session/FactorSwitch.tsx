import { Anchor } from '@mantine/core';
import { useTranslation } from 'react-i18next';

/** "Use a recovery code instead", and back. */
export function FactorSwitch({
  recovery,
  onChange,
}: {
  recovery: boolean;
  onChange: (recovery: boolean) => void;
}) {
  const { t } = useTranslation('session');
  return (
    <Anchor component="button" type="button" size="sm" mt={8} onClick={() => onChange(!recovery)}>
      {t(recovery ? 'useOtp' : 'useRecovery')}
    </Anchor>
  );
}
