/**
 * The one way to the gateway. JSON in, JSON out, every failure an `ApiError`. Each call names the
 * account and the person that the page shows (`shown.ts`).
 *
 * Four things happen here so that no page needs code for them:
 * - the session has ended (401 `unauthorized`): a sign-in dialog opens over the page and the call is
 *   repeated;
 * - the gateway wants the password again (403 `proof_required`): the same with the password dialog;
 * - the same change asked for twice while the first is under way (a double click) is one call;
 * - the session is another account's or person's than the page shows (409 `account_changed`): nothing
 *   was done, and the page is told so.
 */
import { DASHBOARD, PATH } from '@/base';
import { isShown, naming, whoIsShown, type Shown } from './shown';

const API = `${DASHBOARD}/api`;
/** No route of the dashboard takes longer; a call that does is lost on the way. */
const TIMEOUT_MS = 30_000;

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** A failed call. `code` is the gateway's `error_code`, or one of ours:
 * `unreachable` (no answer), `bad_answer` (not the gateway's JSON), `cancelled` (the person closed
 * the dialog that the call needed). */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  constructor(
    /** HTTP status; 0 without an answer. */
    readonly status: number,
    readonly code: string,
    message: string,
    /** The field of the body that is at fault. */
    readonly field: string | null = null,
    /** Seconds to wait before trying again. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }
}

export const isApiError = (error: unknown, code?: string): error is ApiError =>
  error instanceof ApiError && (code === undefined || error.code === code);

/** `signIn` and `prove` ask the person; true: done, repeat the call. Only one of each is open at a time.
 * `moved`: the page shows somebody whose session it is not any more. */
export type Gate = {
  signIn: () => Promise<boolean>;
  prove: () => Promise<boolean>;
  moved: () => void;
};

type Ask = 'signIn' | 'prove';

let gate: Gate | null = null;
const asking: Partial<Record<Ask, Promise<boolean>>> = {};
/** How often each was answered: a call that left before the answer is repeated without asking. */
const answered: Record<Ask, number> = { signIn: 0, prove: 0 };
const underWay = new Map<string, Promise<unknown>>();
/** Calls of this very page that move the session. */
const MOVES = ['/login', '/logout', '/account/switch', '/links/use'];
const moving = new Set<Promise<unknown>>();

/** Who asks the person. Gives back what takes it away again. */
export function setGate(next: Gate): () => void {
  gate = next;
  return () => {
    if (gate === next) gate = null;
  };
}

export type Options = {
  signal?: AbortSignal;
  /** Hands 401 and `proof_required` to the caller instead of asking the person. */
  plain?: boolean;
};

/**
 * Calls the gateway. `path` is below `/dashboard/api`, except `/login` and `/logout`.
 * Answers the body, or undefined where there is none.
 */
export function call<T>(
  method: Method,
  path: string,
  body?: unknown,
  options: Options = {},
): Promise<T> {
  if (method === 'GET') return attempt<T>(method, path, undefined, options);
  const key = `${method} ${path} ${JSON.stringify([body ?? null, whoIsShown()])}`;
  const first = underWay.get(key) as Promise<T> | undefined;
  if (first) return first;
  const run = attempt<T>(method, path, body, options).finally(() => underWay.delete(key));
  underWay.set(key, run);
  if (MOVES.includes(path)) watchMove(run);
  return run;
}

export const api = {
  get: <T>(path: string, options?: Options) => call<T>('GET', path, undefined, options),
  post: <T = void>(path: string, body: unknown = {}, options?: Options) =>
    call<T>('POST', path, body, options),
  patch: <T = void>(path: string, body: unknown, options?: Options) =>
    call<T>('PATCH', path, body, options),
  delete: <T = void>(path: string, options?: Options) =>
    call<T>('DELETE', path, undefined, options),
};

function watchMove(run: Promise<unknown>) {
  const settled = run.catch(() => undefined);
  moving.add(settled);
  void settled.then(() => moving.delete(settled));
}

/** One call, asking the person at most once for each thing that can be missing. */
async function attempt<T>(
  method: Method,
  path: string,
  body: unknown,
  options: Options,
): Promise<T> {
  const asked = new Set<Ask>();
  // Whoever is asked meanwhile: the call stays what it was made as.
  const who = whoIsShown();
  for (;;) {
    const before = { ...answered };
    try {
      return await send<T>(method, path, who, body, options.signal);
    } catch (error) {
      if (isApiError(error, 'account_changed')) void stale(who);
      const ask = options.plain ? null : missing(error);
      if (!ask || !gate || asked.has(ask)) throw error;
      asked.add(ask);
      if (answered[ask] > before[ask]) continue;
      if (!(await put(ask, gate))) {
        throw new ApiError((error as ApiError).status, 'cancelled', (error as ApiError).message);
      }
    }
  }
}

/** Tells the page, unless it shows somebody else by now because it moved the session itself. */
async function stale(who: Shown | null) {
  await Promise.all(moving);
  await new Promise((drawn) => setTimeout(drawn, 100));
  if (isShown(who)) gate?.moved();
}

function missing(error: unknown): Ask | null {
  if (isApiError(error, 'unauthorized')) return 'signIn';
  if (isApiError(error, 'proof_required')) return 'prove';
  return null;
}

function put(ask: Ask, to: Gate): Promise<boolean> {
  const open = asking[ask];
  if (open) return open;
  const question = to[ask]()
    .then((done) => {
      if (done) answered[ask] += 1;
      return done;
    })
    .finally(() => delete asking[ask]);
  asking[ask] = question;
  return question;
}

async function send<T>(
  method: Method,
  path: string,
  who: Shown | null,
  body: unknown,
  signal?: AbortSignal,
): Promise<T> {
  const url = path === '/login' || path === '/logout' ? PATH + path : API + path;
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method,
      credentials: 'same-origin',
      cache: 'no-store',
      redirect: 'error',
      headers: {
        accept: 'application/json',
        ...naming(who),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    text = await response.text();
  } catch (error) {
    // The page no longer wants the answer: nothing to tell anybody.
    if (signal?.aborted) throw error;
    throw new ApiError(0, 'unreachable', 'The gateway does not answer.');
  }
  const answer = parse(text);
  if (response.ok) {
    if (answer === undefined && text !== '') throw badAnswer(response.status);
    return answer as T;
  }
  throw failure(response, answer);
}

function parse(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const badAnswer = (status: number) =>
  new ApiError(status, 'bad_answer', 'Something between this browser and the gateway answered.');

function failure(response: Response, answer: unknown): ApiError {
  if (typeof answer !== 'object' || answer === null) return badAnswer(response.status);
  const { error_code, message, error, field } = answer as Record<string, unknown>;
  if (typeof error_code !== 'string') return badAnswer(response.status);
  const wait = Number(response.headers.get('retry-after'));
  return new ApiError(
    response.status,
    error_code,
    typeof message === 'string' ? message : typeof error === 'string' ? error : '',
    typeof field === 'string' ? field : null,
    Number.isFinite(wait) && wait > 0 ? Math.ceil(wait) : null,
  );
}
