import { Button } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useConfirmSecondFactor } from '@/api/hooks/account';
import type { SecondFactorStart } from '@/api/types';
import { Buttons, ErrorNote, OtpField, SecretField } from '@/ui';
import css from './Access.module.css';

const DIGITS = 6;

/** The key for the app on the phone, and the first code as the proof that it is there. */
export function FactorSetup({
  start,
  onCancel,
  onDone,
}: {
  start: SecondFactorStart;
  onCancel: () => void;
  onDone: (recoveryCodes: string[]) => void;
}) {
  const { t } = useTranslation('security');
  const [otp, setOtp] = useState('');
  const [short, setShort] = useState(false);
  const confirm = useConfirmSecondFactor();
  const submit = () => {
    const digits = otp.replace(/\s/g, '');
    if (!/^\d+$/.test(digits) || digits.length !== DIGITS) return setShort(true);
    confirm.mutate(digits, {
      onSuccess: ({ recovery_codes }) => {
        onDone(recovery_codes);
        confirm.reset();
      },
    });
  };
  return (
    <div className={css.setup}>
      <div className={css.qr}>
        <img src={start.qr_image} alt={t('factor.alt')} width={208} height={208} />
      </div>
      <div>
        <h3>{t('factor.scanTitle')}</h3>
        <p>{t('factor.scanText')}</p>
        <SecretField label={t('factor.key')} value={start.secret} />
        <h3 className={css.second}>{t('factor.confirmTitle')}</h3>
        <form
          className={css.form}
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            submit();
          }}
        >
          <OtpField
            value={otp}
            onChange={(next) => {
              setOtp(next);
              setShort(false);
            }}
            error={short ? t('factor.codeBad') : null}
          />
          <ErrorNote error={confirm.error} />
          <Buttons>
            <Button variant="default" onClick={onCancel} disabled={confirm.isPending}>
              {t('factor.cancel')}
            </Button>
            <Button type="submit" loading={confirm.isPending}>
              {t('factor.confirm')}
            </Button>
          </Buttons>
        </form>
      </div>
    </div>
  );
}
