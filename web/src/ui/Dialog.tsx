import { Modal } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import css from './Dialog.module.css';

type Props = {
  opened: boolean;
  onClose: () => void;
  title: ReactNode;
  /** Only a button inside closes it: neither Escape nor a click beside. */
  stubborn?: boolean;
  size?: 'sm' | 'md' | 'lg' | 'xl';
  /** Above the other dialogs: what any of them may need. */
  above?: boolean;
  children: ReactNode;
};

/** Holds the focus until closed and gives it back then. Fills the screen of a phone. */
export function Dialog({ opened, onClose, title, stubborn, size = 'md', above, children }: Props) {
  const { t } = useTranslation('ui');
  const phone = useMediaQuery('(max-width: 36em)', false, { getInitialValueInEffect: false });
  return (
    <Modal.Root
      opened={opened}
      onClose={onClose}
      size={size}
      fullScreen={phone}
      radius={phone ? 0 : 'lg'}
      centered={!phone}
      zIndex={above ? 400 : 300}
      closeOnEscape={!stubborn}
      closeOnClickOutside={false}
      transitionProps={{ duration: 120 }}
      classNames={{ header: css.header, title: css.title, body: css.body, content: css.content }}
    >
      <Modal.Overlay backgroundOpacity={0.45} blur={2} />
      <Modal.Content>
        {/* Not the page's banner, which a header outside of a section would be. */}
        <Modal.Header role="presentation">
          <Modal.Title>{title}</Modal.Title>
          {!stubborn && <Modal.CloseButton aria-label={t('close')} />}
        </Modal.Header>
        <Modal.Body>{children}</Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}

/** The buttons at the end of a dialog or form; the last is the one that does it. */
export function Buttons({ children }: { children: ReactNode }) {
  return <div className={css.buttons}>{children}</div>;
}
