import { Button } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useMember } from '@/session/member';
import { Buttons, CopyButton, Secret } from '@/ui';
import { useAddress } from '../../parts/gateway';
import css from './Access.module.css';

/** Recovery codes, once. They leave with the dialog. */
export function CodesDialog({ codes, onClose }: { codes: string[] | null; onClose: () => void }) {
  const { t } = useTranslation('security');
  const { user } = useMember();
  const address = useAddress();
  if (!codes) return null;
  const text = codes.join('\n');
  const head = t('factor.fileHead', { email: user.email, address });
  return (
    <Secret
      opened
      onClose={onClose}
      title={t('factor.codesTitle')}
      items={[]}
      note={t('factor.codesText')}
      advice={t('factor.codesAdvice')}
    >
      <ul className={css.codes} translate="no">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <Buttons>
        <CopyButton value={text} what={t('factor.codesTitle')} label={t('factor.copyCodes')} />
        <Button
          variant="default"
          leftSection={<IconDownload size={18} />}
          onClick={() => download(t('factor.fileName'), `${head}\n\n${text}\n`)}
        >
          {t('factor.download')}
        </Button>
      </Buttons>
    </Secret>
  );
}

/** Hands a text over as a file; nothing of it goes over the network. */
function download(name: string, text: string) {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken it by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
