import type { ReactNode } from 'react';
import { Note } from '@/ui';

/** How to keep a credential: stands wherever one is shown. */
export function Advice({ title, lines }: { title?: string; lines: ReactNode[] }) {
  return (
    <Note tone="advice" title={title}>
      <Lines lines={lines} />
    </Note>
  );
}

export function Lines({ lines }: { lines: ReactNode[] }) {
  return (
    <ul>
      {lines.map((line, at) => (
        <li key={at}>{line}</li>
      ))}
    </ul>
  );
}
