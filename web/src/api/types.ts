/**
 * The shapes of the dashboard's API by name. They are those of the gateway's own description
 * (`schema.ts`, made from docs/openapi.json): what changes there, stops the build here.
 */
import type { paths } from './schema';

type Method = 'get' | 'post' | 'patch';
type Status = 200 | 202;
type Json<T> = T extends { content: { 'application/json': infer B } } ? B : never;
type Path<M extends Method> = { [P in keyof paths]: paths[P][M] extends object ? P : never }[keyof paths];
type Operation<M extends Method, P extends Path<M>> = NonNullable<paths[P][M]>;

/** What `M P` answers with. */
export type Answer<M extends Method, P extends Path<M>> =
  Operation<M, P> extends { responses: infer R } ? Json<R[keyof R & Status]> : never;
/** What `M P` takes. */
export type Body<M extends Method, P extends Path<M>> =
  Operation<M, P> extends { requestBody: infer B } ? Json<B> : never;

/** The program itself, open to everybody. */
export type State = Answer<'get', '/dashboard/api/state'>;

export type LoginRequest = Body<'post', '/login'>;
/** `expires_in` is in seconds. */
export type Login = Answer<'post', '/login'>;

/** What a link is for. `known`: the e-mail has a user, whose password is asked for. */
export type Link = Answer<'post', '/dashboard/api/links/look'>;
export type LinkKind = Link['kind'];
export type LinkUse = Body<'post', '/dashboard/api/links/use'>;

/** Who is signed in, and where. `proven_until`: until then no password is asked for again. */
export type Me = Answer<'get', '/dashboard/api/me'>;
export type User = Me['user'];
export type Account = Me['account'];
export type Role = Account['role'];
export type Language = Account['language'];

export type Session = Answer<'get', '/dashboard/api/sessions'>['sessions'][number];
export type SecondFactorStart = Answer<'post', '/dashboard/api/second-factor'>;
export type RecoveryCodes = Answer<'post', '/dashboard/api/second-factor/confirm'>;

export type AuditPage = Answer<'get', '/dashboard/api/audit'>;
export type AuditEntry = AuditPage['entries'][number];

export type Members = Answer<'get', '/dashboard/api/members'>;
export type Member = Members['members'][number];
export type Invitation = Members['invitations'][number];
export type Invited = Answer<'post', '/dashboard/api/members/invite'>;

export type Credential = Answer<'get', '/dashboard/api/credentials'>['credentials'][number];
export type CredentialKind = Credential['kind'];
/** A credential just made: the only answer that holds it in full. */
export type Made = Answer<'post', '/dashboard/api/credentials'>;
export type Revealed = Answer<'post', '/dashboard/api/credentials/{cid}/reveal'>;

export type Instances = Answer<'get', '/dashboard/api/instances'>;
export type Instance = Instances['instances'][number];
/** `expires_in` is in seconds; `qr_image` a PNG as a data URL. The pages know all the states that
 * pairing has at the instance API, more than this route names today. */
export type Qr = Omit<Answer<'get', '/dashboard/api/instances/{id}/qr'>, 'status'> & {
  status: 'waiting' | 'scanned' | 'connected' | 'expired';
};
export type PairCode = Answer<'post', '/dashboard/api/instances/{id}/pair-code'> & {
  expires_in?: number | null;
};
