import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { api, ApiError, setGate } from './client';
import { show } from './shown';

type Sent = { method: string; url: string; body: string | undefined; names: string | null };
let sent: Sent[];
let answers: (() => Response | Promise<Response>)[];
let ungate: () => void;

const ok = (body: unknown) => () => new Response(JSON.stringify(body), { status: 200 });
const nothing = () => new Response(null, { status: 204 });
const refused = (status: number, error_code: string, more: object = {}, headers = {}) => () =>
  new Response(JSON.stringify({ code: status, success: false, error: 'no', message: 'no', error_code, ...more }), {
    status,
    headers,
  });

const gate = { signIn: vi.fn(), prove: vi.fn(), moved: vi.fn() };

beforeEach(() => {
  sent = [];
  answers = [];
  gate.signIn.mockReset().mockResolvedValue(true);
  gate.prove.mockReset().mockResolvedValue(true);
  gate.moved.mockReset();
  show(null);
  ungate = setGate(gate);
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    const headers = new Headers(init.headers);
    const [account, user] = [headers.get('x-recado-account'), headers.get('x-recado-user')];
    const names = account === null && user === null ? null : `${user} in ${account}`;
    sent.push({ method: init.method ?? '', url, body: init.body as string | undefined, names });
    const answer = answers.shift();
    if (!answer) throw new Error('one call too many');
    return answer();
  });
});

afterEach(() => {
  ungate();
  vi.unstubAllGlobals();
});

const failure = async (call: Promise<unknown>) => {
  const error = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ApiError);
  return error as ApiError;
};

describe('a call', () => {
  it('goes below /dashboard/api, but for signing in and out', async () => {
    answers = [ok({ a: 1 }), ok({}), nothing];
    await expect(api.get('/me')).resolves.toEqual({ a: 1 });
    await api.post('/login', { email: 'a' });
    await expect(api.post('/logout')).resolves.toBeUndefined();
    expect(sent.map(({ url }) => url)).toEqual(['/dashboard/api/me', '/login', '/logout']);
    expect(sent[2]?.body).toBe('{}');
  });

  it('says what the gateway said', async () => {
    answers = [
      refused(400, 'invalid_field', { field: 'email' }),
      refused(429, 'rate_limited', {}, { 'retry-after': '17' }),
    ];
    const field = await failure(api.post('/signup', { email: 'x' }));
    expect(field).toMatchObject({ status: 400, code: 'invalid_field', field: 'email' });
    const limited = await failure(api.get('/me'));
    expect(limited).toMatchObject({ status: 429, retryAfter: 17, field: null });
  });

  it('tells silence from an answer that is not the gateway’s', async () => {
    answers = [
      () => Promise.reject(new TypeError('network')),
      () => new Response('<h1>Bad gateway</h1>', { status: 502 }),
      () => new Response('<h1>Captive portal</h1>', { status: 200 }),
    ];
    expect(await failure(api.get('/me'))).toMatchObject({ status: 0, code: 'unreachable' });
    expect(await failure(api.get('/me'))).toMatchObject({ status: 502, code: 'bad_answer' });
    expect(await failure(api.get('/me'))).toMatchObject({ status: 200, code: 'bad_answer' });
  });
});

describe('a session that has ended', () => {
  it('is signed in to again, and the call is repeated as it was', async () => {
    answers = [refused(401, 'unauthorized'), ok({ id: 'i' })];
    await expect(api.post('/instances', { name: 'Bäckerei' })).resolves.toEqual({ id: 'i' });
    expect(gate.signIn).toHaveBeenCalledTimes(1);
    expect(sent[1]).toEqual(sent[0]);
  });

  it('asks once for all calls that fail together', async () => {
    let done: (yes: boolean) => void = () => undefined;
    gate.signIn.mockReturnValue(new Promise<boolean>((resolve) => (done = resolve)));
    answers = [refused(401, 'unauthorized'), refused(401, 'unauthorized'), ok(1), ok(2)];
    const both = Promise.all([api.get('/members'), api.get('/sessions')]);
    await vi.waitFor(() => expect(sent).toHaveLength(2));
    await vi.waitFor(() => expect(gate.signIn).toHaveBeenCalled());
    done(true);
    await both;
    expect(gate.signIn).toHaveBeenCalledTimes(1);
  });

  it('does not ask again for a call that left before the answer', async () => {
    let late: (response: Response) => void = () => undefined;
    const slow = new Promise<Response>((resolve) => (late = resolve));
    answers = [() => slow, refused(401, 'unauthorized'), ok('quick'), ok('slow')];
    const first = api.get('/members');
    await expect(api.get('/sessions')).resolves.toBe('quick');
    late(refused(401, 'unauthorized')());
    await expect(first).resolves.toBe('slow');
    expect(gate.signIn).toHaveBeenCalledTimes(1);
  });

  it('is not asked about twice by one call', async () => {
    answers = [refused(401, 'unauthorized'), refused(401, 'unauthorized')];
    expect((await failure(api.get('/me'))).code).toBe('unauthorized');
    expect(gate.signIn).toHaveBeenCalledTimes(1);
  });

  it('is handed over by plain calls', async () => {
    answers = [refused(401, 'unauthorized')];
    expect((await failure(api.get('/me', { plain: true }))).code).toBe('unauthorized');
    expect(gate.signIn).not.toHaveBeenCalled();
  });

  it('is something else than a wrong password', async () => {
    answers = [refused(401, 'login_failed')];
    expect((await failure(api.post('/confirm', { password: 'x' }))).code).toBe('login_failed');
    expect(gate.signIn).not.toHaveBeenCalled();
  });
});

describe('a proof', () => {
  it('is asked for, and the call is repeated', async () => {
    answers = [refused(403, 'proof_required'), ok({ token: 't' })];
    await expect(api.post('/instances/i/token')).resolves.toEqual({ token: 't' });
    expect(gate.prove).toHaveBeenCalledTimes(1);
  });

  it('may follow signing in again', async () => {
    answers = [refused(401, 'unauthorized'), refused(403, 'proof_required'), nothing];
    await api.delete('/members/u');
    expect(gate.signIn).toHaveBeenCalledTimes(1);
    expect(gate.prove).toHaveBeenCalledTimes(1);
  });

  it('that is called off ends the call as cancelled, and nothing was sent again', async () => {
    gate.prove.mockResolvedValue(false);
    answers = [refused(403, 'proof_required')];
    expect((await failure(api.delete('/members/u'))).code).toBe('cancelled');
    expect(sent).toHaveLength(1);
  });
});

describe('whom a call means', () => {
  const ana = { account: 'A', user: 'ana' };
  const bia = { account: 'B', user: 'bia' };
  const changed = refused(409, 'account_changed');
  const wait = () => new Promise((later) => setTimeout(later, 150));

  it('is whom the page shows, whatever the call', async () => {
    answers = [ok({}), nothing, nothing, ok({}), nothing];
    await api.get('/me');
    show(ana);
    await api.post('/logout');
    await api.delete('/members/u');
    await api.get('/instances/i/qr');
    show(bia);
    await api.patch('/account', {});
    const names = ['ana in A', 'ana in A', 'ana in A', 'bia in B'];
    expect(sent.map((one) => one.names)).toEqual([null, ...names]);
  });

  it('stays whom it was made for, whoever signs in meanwhile', async () => {
    show(ana);
    gate.signIn.mockImplementation(async () => {
      show(bia);
      return true;
    });
    answers = [refused(401, 'unauthorized'), changed];
    expect((await failure(api.post('/instances', { name: 'a' }))).code).toBe('account_changed');
    expect(sent.map((one) => one.names)).toEqual(['ana in A', 'ana in A']);
    await wait();
  });

  it('is not the session’s any more: the page is told, also of plain calls', async () => {
    show(ana);
    answers = [changed, changed];
    expect((await failure(api.post('/instances', { name: 'a' }))).status).toBe(409);
    await wait();
    expect(gate.moved).toHaveBeenCalledTimes(1);
    await failure(api.get('/me', { plain: true }));
    await wait();
    expect(gate.moved).toHaveBeenCalledTimes(2);
  });

  it('is of before the page itself switched: nobody is told', async () => {
    show(ana);
    let switched: (response: Response) => void = () => undefined;
    answers = [() => new Promise<Response>((resolve) => (switched = resolve)), changed];
    const change = api.post('/account/switch', { account: 'B' }).then(() => show(bia));
    expect((await failure(api.get('/instances'))).code).toBe('account_changed');
    await wait();
    switched(ok({})());
    await change;
    await wait();
    expect(gate.moved).not.toHaveBeenCalled();
  });

  it('makes two of what would else be one call', async () => {
    answers = [ok('A'), ok('B')];
    show(ana);
    const first = api.post('/token');
    show(bia);
    await expect(Promise.all([first, api.post('/token')])).resolves.toEqual(['A', 'B']);
  });
});

describe('a double click', () => {
  it('acts once, and both hear the answer', async () => {
    answers = [ok({ id: 'i' })];
    const clicks = [api.post('/instances', { name: 'a' }), api.post('/instances', { name: 'a' })];
    await expect(Promise.all(clicks)).resolves.toEqual([{ id: 'i' }, { id: 'i' }]);
    expect(sent).toHaveLength(1);
  });

  it('stays one while the person is asked', async () => {
    answers = [refused(403, 'proof_required'), ok(1)];
    await Promise.all([api.post('/token'), api.post('/token')]);
    expect(sent).toHaveLength(2);
  });

  it('is not the same change made again later, nor another change', async () => {
    answers = [nothing, nothing, nothing];
    await Promise.all([api.delete('/sessions/a'), api.delete('/sessions/b')]);
    await api.delete('/sessions/a');
    expect(sent).toHaveLength(3);
  });
});
