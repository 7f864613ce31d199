import { Button, Stack, Text } from '@mantine/core';
import { IconShieldCheck, IconShieldHalf } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import {
  useBeginSecondFactor,
  useNewRecoveryCodes,
  useTurnOffSecondFactor,
} from '@/api/hooks/account';
import type { SecondFactorStart } from '@/api/types';
import { useMember } from '@/session/member';
import { Badge, ConfirmDialog, ErrorNote, Note, Panel, useSay } from '@/ui';
import { CodesDialog } from './CodesDialog';
import { FactorSetup } from './FactorSetup';

/** From then on one is told to get new ones. */
const FEW = 3;

/** Turning the second factor on and off, and the codes for when the phone is lost. */
export function FactorPart() {
  const { t } = useTranslation('security');
  const { user } = useMember();
  const [start, setStart] = useState<SecondFactorStart | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  return (
    <>
      <Panel
        title={t('factor.title')}
        intro={user.second_factor ? t('factor.isOn') : t('factor.text')}
        actions={
          <Badge tone={user.second_factor ? 'good' : 'idle'} dot>
            {user.second_factor ? t('factor.on') : t('factor.off')}
          </Badge>
        }
      >
        {user.second_factor ? (
          <On left={user.recovery_codes_left} onCodes={setCodes} />
        ) : start ? (
          <FactorSetup
            start={start}
            onCancel={() => setStart(null)}
            onDone={(fresh) => {
              setStart(null);
              setCodes(fresh);
            }}
          />
        ) : (
          <Begin onStart={setStart} />
        )}
      </Panel>
      <CodesDialog codes={codes} onClose={() => setCodes(null)} />
    </>
  );
}

function Begin({ onStart }: { onStart: (start: SecondFactorStart) => void }) {
  const { t } = useTranslation('security');
  const begin = useBeginSecondFactor();
  return (
    <Stack gap="md" align="flex-start">
      <ErrorNote error={begin.error} />
      <Button
        leftSection={<IconShieldHalf size={18} />}
        loading={begin.isPending}
        onClick={() =>
          begin.mutate(undefined, {
            onSuccess: (start) => {
              onStart(start);
              begin.reset();
            },
          })
        }
      >
        {t('factor.begin')}
      </Button>
    </Stack>
  );
}

function On({ left, onCodes }: { left: number; onCodes: (codes: string[]) => void }) {
  const { t } = useTranslation('security');
  const say = useSay();
  const [asking, setAsking] = useState<'codes' | 'off' | null>(null);
  const renew = useNewRecoveryCodes();
  const turnOff = useTurnOffSecondFactor();
  const close = () => setAsking(null);
  return (
    <Stack gap="md">
      {left <= FEW ? (
        <Note tone="warn" title={t('factor.left', { count: left })}>
          {t('factor.few')}
        </Note>
      ) : (
        <Note tone="good">{t('factor.left', { count: left })}</Note>
      )}
      <Button.Group>
        <Button
          variant="default"
          leftSection={<IconShieldCheck size={18} />}
          onClick={() => setAsking('codes')}
        >
          {t('factor.newCodes')}
        </Button>
        <Button variant="default" onClick={() => setAsking('off')}>
          {t('factor.turnOff')}
        </Button>
      </Button.Group>
      <ConfirmDialog
        opened={asking === 'codes'}
        onClose={close}
        title={t('factor.newCodesTitle')}
        confirmLabel={t('factor.newCodesSubmit')}
        onConfirm={async () => {
          onCodes((await renew.mutateAsync()).recovery_codes);
          renew.reset();
        }}
      >
        <Text>{t('factor.newCodesText')}</Text>
      </ConfirmDialog>
      <ConfirmDialog
        opened={asking === 'off'}
        onClose={close}
        title={t('factor.turnOffTitle')}
        confirmLabel={t('factor.turnOffSubmit')}
        danger
        onConfirm={async () => {
          await turnOff.mutateAsync();
          say.good(t('factor.turnedOff'));
        }}
      >
        <Text>{t('factor.turnOffText')}</Text>
      </ConfirmDialog>
    </Stack>
  );
}
