/** Days as `<input type="date">` has them: `2026-03-07`, in the browser's time zone. */

const two = (n: number) => String(n).padStart(2, '0');

export const dayOf = (at: Date) =>
  `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;

/** The last second of a day; null when it is none, or over. */
export function endOf(day: string, now: Date): Date | null {
  const parts = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day);
  if (!parts) return null;
  const end = new Date(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]), 23, 59, 59);
  return dayOf(end) === day && end > now ? end : null;
}
