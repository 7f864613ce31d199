import { Button, Checkbox, Stack } from '@mantine/core';
import { useId, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { CopyButton } from './CopyButton';
import { Buttons, Dialog } from './Dialog';
import { Note } from './Note';
import css from './Secret.module.css';

/** One value in the mono face with a copy button: a token, an id, an address. */
export function SecretField({
  label,
  value,
  hint,
}: {
  label: string;
  value: string;
  hint?: ReactNode;
}) {
  const id = useId();
  return (
    <div>
      <div className={css.label} id={id}>
        {label}
      </div>
      <div className={css.field} role="group" aria-labelledby={id}>
        <code className={css.value} translate="no">
          {value}
        </code>
        <CopyButton value={value} what={label} />
      </div>
      {hint && <div className={css.hint}>{hint}</div>}
    </div>
  );
}

/** Several lines to copy: a block of settings, a command. */
export function CodeBlock({ label, value }: { label: string; value: string }) {
  return (
    <figure className={css.block} aria-label={label}>
      <figcaption className={css.caption}>
        <span>{label}</span>
        <CopyButton value={value} what={label} />
      </figcaption>
      <pre className={css.pre} tabIndex={0} aria-label={label} translate="no">
        <code>{value}</code>
      </pre>
    </figure>
  );
}

export type SecretItem = { label: string; value: string; hint?: ReactNode };

/**
 * Shows what is shown only once, until the person says it is stored. Escape and a click beside do
 * not close it. The values live in the caller's state alone: drop them in `onClose`.
 */
export function Secret({
  opened,
  onClose,
  title,
  items,
  note,
  advice,
  children,
}: {
  opened: boolean;
  onClose: () => void;
  title: ReactNode;
  items: SecretItem[];
  /** The gateway's sentence about this credential. */
  note?: ReactNode;
  /** How to keep it: shown as advice below the values. */
  advice?: ReactNode;
  children?: ReactNode;
}) {
  return (
    <Dialog opened={opened} onClose={onClose} title={title} size="lg" stubborn>
      {opened && (
        <Stored onClose={onClose}>
          {note && <Note tone="warn">{note}</Note>}
          {items.map((item) => (
            <SecretField key={item.label} {...item} />
          ))}
          {children}
          {advice && <Note tone="advice">{advice}</Note>}
        </Stored>
      )}
    </Dialog>
  );
}

function Stored({ onClose, children }: { onClose: () => void; children: ReactNode }) {
  const { t } = useTranslation('ui');
  const [stored, setStored] = useState(false);
  return (
    <Stack gap="md">
      {children}
      <Checkbox
        label={t('stored')}
        checked={stored}
        onChange={(event) => setStored(event.currentTarget.checked)}
      />
      <Buttons>
        <Button onClick={onClose} disabled={!stored}>
          {t('done')}
        </Button>
      </Buttons>
    </Stack>
  );
}
