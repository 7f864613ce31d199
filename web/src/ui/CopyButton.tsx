import { ActionIcon, Button, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

type Props = {
  value: string;
  /** What is copied, for readers: "client token". */
  what: string;
  /** Words on the button; without them it is an icon. */
  label?: string;
  variant?: 'default' | 'filled' | 'light' | 'subtle';
};

/** Copies and says so. */
export function CopyButton({ value, what, label, variant }: Props) {
  const { t } = useTranslation('ui');
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle');
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);

  const copy = async () => {
    const done = await toClipboard(value);
    setState(done ? 'copied' : 'failed');
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setState('idle'), 2_500);
  };

  const icon = state === 'copied' ? <IconCheck size={18} /> : <IconCopy size={18} />;
  const outcome = state === 'idle' ? '' : t(state === 'copied' ? 'copied' : 'copyFailed');
  const name = t('copyWhat', { what });
  return (
    <>
      {label ? (
        <Button variant={variant ?? 'default'} leftSection={icon} onClick={copy}>
          {outcome || label}
        </Button>
      ) : (
        <Tooltip label={outcome || name} opened={outcome ? true : undefined}>
          <ActionIcon variant={variant ?? 'subtle'} size="lg" aria-label={name} onClick={copy}>
            {icon}
          </ActionIcon>
        </Tooltip>
      )}
      <span role="status" className="unseen">
        {outcome}
      </span>
    </>
  );
}

/** False where the browser forbids it (plain HTTP away from loopback): then one copies by hand. */
async function toClipboard(value: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(value);
    return true;
  } catch {
    return false;
  }
}
