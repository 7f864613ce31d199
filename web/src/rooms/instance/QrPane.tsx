import { Button, Loader } from '@mantine/core';
import {
  IconCircleCheck,
  IconDeviceMobileCheck,
  IconQrcode,
  IconRefresh,
} from '@tabler/icons-react';
import { useEffect, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useQr, useRefresh } from '@/api/hooks/instances';
import type { Instance, Qr } from '@/api/types';
import { ErrorNote, useNow } from '@/ui';
import css from './Instance.module.css';
import { SandboxHint } from './SandboxHint';
import { Steps } from './Steps';

/** So long a code is renewed by itself: then somebody has to say that they still look. */
const WATCH_MS = 4 * 60_000;

/** The code as a picture, renewed by itself while somebody looks. `begin`: without being asked. */
export function QrPane({ instance, begin }: { instance: Instance; begin: boolean }) {
  const { t } = useTranslation('instances');
  const [active, setActive] = useState(begin);
  const [paused, setPaused] = useState(false);
  const qr = useQr(instance.id, active);
  const refresh = useRefresh(instance.id);
  const status = qr.data?.status;

  useEffect(() => {
    if (!active) return;
    const timer = setTimeout(() => {
      setActive(false);
      setPaused(true);
    }, WATCH_MS);
    return () => clearTimeout(timer);
  }, [active]);
  useEffect(() => {
    if (status === 'connected') void refresh();
    // `refresh` is new at each drawing, and the same.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [status]);

  const start = () => {
    setPaused(false);
    if (active) void qr.refetch();
    else setActive(true);
  };
  return (
    <div className={css.pair}>
      <div className={css.code}>
        {active ? (
          <Code qr={qr.data} at={qr.dataUpdatedAt} failed={qr.isError} onAgain={start} />
        ) : (
          <Paper>
            <IconQrcode size={44} stroke={1.3} />
            {paused && <span>{t('pair.paused')}</span>}
            <Button onClick={start}>{paused ? t('pair.again') : t('pair.start')}</Button>
          </Paper>
        )}
        {!active && !paused && <p className={css.left}>{t('pair.startText')}</p>}
        <ErrorNote error={active ? qr.error : null} onRetry={start} />
      </div>
      <div>
        <Steps by="qr" />
        <SandboxHint by="qr" code={qr.data?.qr} />
      </div>
    </div>
  );
}

const Paper = ({ children }: { children: ReactNode }) => (
  <div className={css.paper} data-empty>
    <div className={css.over}>{children}</div>
  </div>
);

function Code({
  qr,
  at,
  failed,
  onAgain,
}: {
  qr: Qr | undefined;
  at: number;
  failed: boolean;
  onAgain: () => void;
}) {
  const { t } = useTranslation('instances');
  if (qr?.status === 'scanned') {
    return (
      <Paper>
        <IconDeviceMobileCheck size={44} stroke={1.3} />
        <b role="status">{t('pair.scanned')}</b>
        <span>{t('pair.scannedHint')}</span>
      </Paper>
    );
  }
  if (qr?.status === 'connected') {
    return (
      <Paper>
        <IconCircleCheck size={44} stroke={1.3} />
        <b role="status">{t('pair.linked')}</b>
      </Paper>
    );
  }
  if (qr?.status === 'expired' || failed) {
    return (
      <Paper>
        <IconQrcode size={44} stroke={1.3} />
        {qr?.status === 'expired' && <span role="status">{t('pair.expired')}</span>}
        <Button variant="default" leftSection={<IconRefresh size={16} />} onClick={onAgain}>
          {t('pair.again')}
        </Button>
      </Paper>
    );
  }
  if (!qr?.qr_image) {
    return (
      <Paper>
        <Loader size="sm" />
        <span role="status">{t('pair.loading')}</span>
      </Paper>
    );
  }
  return (
    <>
      <div className={css.paper}>
        <img src={qr.qr_image} alt={t('pair.alt')} width={264} height={264} />
      </div>
      {qr.expires_in !== null && <Left until={at + qr.expires_in * 1000} />}
    </>
  );
}

function Left({ until }: { until: number }) {
  const { t } = useTranslation('instances');
  const now = useNow(500).getTime();
  const seconds = Math.ceil((until - now) / 1000);
  return (
    <p className={css.left}>{seconds > 0 ? t('pair.renewIn', { seconds }) : t('pair.renewing')}</p>
  );
}
