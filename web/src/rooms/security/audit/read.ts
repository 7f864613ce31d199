/** Reading the details of an entry, whose members differ by kind. */

type Detail = Record<string, unknown>;

const PROOFS = [
  'client',
  'client_jwt',
  'instance_pair',
  'api_token',
  'session_key',
  'guest',
  'operator',
  'gateway',
];

const text = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value : null;

/** Who did it: a user, or the kind of proof that was shown; null for a kind that has no words here. */
export function actor(detail: Detail): { user: string | null; proof: string | null } {
  const by = typeof detail.by === 'object' && detail.by !== null ? (detail.by as Detail) : {};
  const proof = text(by.proof);
  return { user: text(by.user), proof: proof && PROOFS.includes(proof) ? proof : null };
}

/** What it was done to, in as few words as there are: a name, a label, an address, a hint, an id. */
export const subject = (detail: Detail): string | null =>
  text(detail.email) ??
  text(detail.label) ??
  text(detail.name) ??
  text(detail.hint) ??
  text(detail.instance);

/** Members other than who and where, with their values as text or as a moment. */
export function facts(detail: Detail): { key: string; text?: string; at?: string }[] {
  return Object.entries(detail)
    .filter(([key, value]) => key !== 'by' && value !== null && value !== undefined)
    .map(([key, value]) => {
      if (typeof value === 'string' && isMoment(value)) return { key, at: value };
      return { key, text: written(value) };
    });
}

const isMoment = (value: string) =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(value) && !Number.isNaN(Date.parse(value));

function written(value: unknown): string {
  if (Array.isArray(value)) return value.map(written).join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
