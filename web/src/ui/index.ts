/** The shared pieces of the dashboard; `web/README.md` says when to use which. */
export { Badge, type Tone } from './Badge';
export { ConfirmDialog } from './ConfirmDialog';
export { CopyButton } from './CopyButton';
export { Buttons, Dialog } from './Dialog';
export { EmptyState } from './EmptyState';
export { ErrorNote, errorText, fieldError, useWait } from './ErrorNote';
export { Loading } from './Loading';
export { Note } from './Note';
export { OtpField } from './OtpField';
export { Page, useArrival, useTitle } from './Page';
export { Panel } from './Panel';
export { PasswordField, longEnough } from './PasswordField';
export { SayProvider, useSay, type Say } from './Say';
export { CodeBlock, Secret, SecretField, type SecretItem } from './Secret';
export { Table, type Column } from './Table';
export { clean, UserText } from './text';
export { absolute, clock, relative } from './time';
export { useNow, When } from './When';
