import { clock } from '@/ui';

const HOUR = 3600;

/** Seconds as `m:ss` below an hour, and in words above: "2 days", "22 hours". */
export function span(seconds: number, language: string): string {
  if (seconds < HOUR) return clock(seconds);
  const [unit, size] =
    seconds >= 48 * HOUR ? (['day', 24 * HOUR] as const) : (['hour', HOUR] as const);
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(
    Math.round(seconds / size),
  );
}
