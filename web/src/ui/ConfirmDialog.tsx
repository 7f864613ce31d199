import { Button, Stack, TextInput } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Buttons, Dialog } from './Dialog';
import { ErrorNote } from './ErrorNote';
import { clean } from './text';

type Props = {
  opened: boolean;
  onClose: () => void;
  title: ReactNode;
  /** What will happen, and what will break. */
  children: ReactNode;
  /** Words on the button that does it: the verb, never "OK". */
  confirmLabel: string;
  /** Takes something away for good. */
  danger?: boolean;
  /** Must be typed before the button works. */
  typed?: string;
  /** Does it. The dialog closes when it is done and shows what failed otherwise. */
  onConfirm: () => Promise<unknown>;
};

/** Asks before something that cannot be taken back. */
export function ConfirmDialog({ opened, onClose, title, ...rest }: Props) {
  return (
    <Dialog opened={opened} onClose={onClose} title={title}>
      {opened && <Question onClose={onClose} {...rest} />}
    </Dialog>
  );
}

function Question({
  onClose,
  children,
  confirmLabel,
  danger,
  typed,
  onConfirm,
}: Omit<Props, 'opened' | 'title'>) {
  const { t } = useTranslation('ui');
  const [words, setWords] = useState('');
  const [pending, setPending] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const wanted = typed === undefined ? '' : clean(typed).trim();

  const confirm = async () => {
    if (pending || (wanted && words.trim() !== wanted)) return;
    setPending(true);
    setError(null);
    try {
      await onConfirm();
      onClose();
    } catch (failure) {
      setError(failure);
      setPending(false);
    }
  };

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void confirm();
      }}
    >
      <Stack gap="md">
        <div>{children}</div>
        {wanted && (
          <TextInput
            label={
              <>
                {t('typeToConfirm')} <bdi translate="no">{wanted}</bdi>
              </>
            }
            value={words}
            onChange={(event) => setWords(event.currentTarget.value)}
            autoComplete="off"
            spellCheck={false}
            data-autofocus
          />
        )}
        <ErrorNote error={error} />
        <Buttons>
          <Button variant="default" onClick={onClose} disabled={pending}>
            {t('cancel')}
          </Button>
          <Button
            type="submit"
            color={danger ? 'clay' : undefined}
            loading={pending}
            disabled={wanted !== '' && words.trim() !== wanted}
          >
            {confirmLabel}
          </Button>
        </Buttons>
      </Stack>
    </form>
  );
}
