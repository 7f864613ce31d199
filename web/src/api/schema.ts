/* Made by `npm run types` from docs/openapi.json. Do not edit. */
export interface paths {
    "/dashboard/api/account": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Changes name and language of the account.
         * @description Access: dashboard cookie; a person's role: admin or higher.
         */
        patch: operations["dashboardAccountChange"];
        trace?: never;
    };
    "/dashboard/api/account/sign-out": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ends every JWT and every session of the account, one's own too.
         * @description Access: dashboard cookie; a person's role: admin or higher; and the password again, within 10 minutes.
         */
        post: operations["dashboardAccountSignOut"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dashboard/api/account/switch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Goes on in another account of the same person.
         * @description Access: dashboard cookie; a person's role: viewer or higher.
         */
        post: operations["dashboardMeSwitchAccount"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dashboard/api/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the account's audit log, newest first.
         * @description `next` of a page is what to pass as `before` for the one after it.
         *
         *     Access: dashboard cookie; a person's role: admin or higher.
         */
        get: operations["dashboardAccountAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dashboard/api/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Takes the password again, for what asks for a fresh proof.
         * @description Access: dashboard cookie; a person's role: viewer or higher.
         */
        post: operations["dashboardLoginConfirm"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dashboard/api/credentials": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the credentials of the account, without their tokens.
         * @description Oldest first; those that have ended only with `state=all`.
         *
         *     Access: dashboard cookie; a person's role: admin or higher.
         */
        get: operations["dashboardCredentialsList"];
        put?: never;
        /**
         * Makes a credential and shows its token.
         * @description A client secret is shown in this answer only.
         *
         *     Access: dashboard cookie; a person's role: admin or higher; and the password again, within 10 minutes.
         */
        post: operations["dashboardCredentialsCreate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dashboard/api/credentials/{cid}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Ends a credential at once, and what was issued by it.
         * @description Access: dashboard cookie; a person's role: admin or higher; and the password again, within 10 minutes.
         */
        delete: operations["dashboardCredentialsRevoke"];
        options?: never;
        head?: never;
        /**
         * Changes label, end and restrictions of a credential.
         * @description `null` clears a member; what is left out stays as it is.
         *
         *     Access: dashboard cookie; a person's role: admin or higher; and the password again, within 10 minutes.
         */
        patch: operations["dashboardCredentialsChange"];
        trace?: never;
    };
    "/dashboard/api/credentials/{cid}/reveal": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Shows the token of a credential once more.
         * @description Client secrets are not kept, so they cannot be shown. The look is noted in the audit log.
         *
         *     Access: dashboard cookie; a person's role: admin or higher; and the password again, within 10 minutes.
         */
        post: operations["dashboardCredentialsReveal"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dashboard/api/credentials/{cid}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Replaces a credential by a new one of the same kind.
         * @description The old one holds for `grace_seconds` more; by default it ends at once.
         *
         *     Access: dashboard cookie; a person's role: admin or higher; and the password again, within 10 minutes.
         */
        post: operations["dashboardCredentialsRotate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dashboard/api/email": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Asks to change the e-mail: a letter goes to the new address.
         * @description Access: dashboard cookie; a person's role: viewer or higher; and the password again, within 10 minutes.
         */
        post: operations["dashboardMeAskEmail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dashboard/api/instances": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the instances of the account, newest first.
         * @description `summary` counts those of every page by state.
         *
         *     Access: dashboard cookie; a person's role: viewer or higher.
         */
        get: operations["dashboardInstancesList"];
        put?: never;
        /**
         * Creates an instance.
         * @description Access: dashboard cookie; a person's role: developer or higher.
         */
        post: operations["dashboardInstancesCreate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dashboard/api/instances/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Shows one instance.
         * @description Access: dashboard cookie of the instance's account; a person's role: viewer or higher.
         */
        get: operations["dashboardInstancesRead"];
        put?: never;
        post?: never;
        /**
         * Deletes an instance with its pairing and its tokens.
         * @description Access: dashboard cookie of the instance's account; a person's role: admin or higher; and the password again, within 10 minutes.
         */
        delete: operations["dashboardInstancesDelete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dashboard/api/instances/{id}/disconnect": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Closes the connection and keeps the pairing.
         * @description Access: dashboard cookie of the instance's account; a person's role: developer or higher.
         */
        post: operations["dashboardInstancesDisconnect"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dashboard/api/instances/{id}/pair-code": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Answers a code to be typed on the phone, in place of the QR.
         * @description Access: dashboard cookie of the instance's account; a person's role: developer or higher.
         */
        post: operations["dashboardInstancesPairCode"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dashboard/api/instances/{id}/qr": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Answers the QR to pair a phone with, and begins pairing.
         * @description Access: dashboard cookie of the instance's account; a person's role: developer or higher.
         */
        get: operations["dashboardInstancesQr"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dashboard/api/instances/{id}/token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Shows the newest live token of the instance.
         * @description The look is noted in the audit log.
         *
         *     Access: dashboard cookie of the instance's account; a person's role: developer or higher; and the password again, within 10 minutes.
         */
        post: operations["dashboardInstancesToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dashboard/api/links/look": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Tells what a link of a letter is for, without using it up.
         * @description Access: open, to the dashboard's pages.
         */
        post: operations["dashboardLinksLook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dashboard/api/links/use": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Uses a link up: set-up, sign-up, invitation, reset or new e-mail.
         * @description Access: open, to the dashboard's pages.
         */
        post: operations["dashboardLinksUseLink"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dashboard/api/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Shows who is signed in, and in which account.
         * @description Access: dashboard cookie, whoever's it is; a person's role: viewer or higher.
         */
        get: operations["dashboardMeRead"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Changes the language of the person who is signed in.
         * @description Access: dashboard cookie; a person's role: viewer or higher.
         */
        patch: operations["dashboardMeChange"];
        trace?: never;
    };
    "/dashboard/api/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists who is in the account, and who was invited.
         * @description Access: dashboard cookie; a person's role: viewer or higher.
         */
        get: operations["dashboardMembersList"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dashboard/api/members/invitations/{lid}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Takes an invitation back.
         * @description Access: dashboard cookie; a person's role: admin or higher.
         */
        delete: operations["dashboardMembersWithdraw"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dashboard/api/members/invite": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Invites somebody to the account by e-mail.
         * @description Access: dashboard cookie; a person's role: admin or higher; and the password again, within 10 minutes.
         */
        post: operations["dashboardMembersInvite"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dashboard/api/members/{uid}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Takes a member out of the account.
         * @description Another by an admin, oneself by anybody.
         *
         *     Access: dashboard cookie; a person's role: viewer or higher; and the password again, within 10 minutes.
         */
        delete: operations["dashboardMembersRemove"];
        options?: never;
        head?: never;
        /**
         * Gives a member another role.
         * @description Access: dashboard cookie; a person's role: admin or higher; and the password again, within 10 minutes.
         */
        patch: operations["dashboardMembersSetRole"];
        trace?: never;
    };
    "/dashboard/api/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sets a new password and ends the other sessions.
         * @description Access: dashboard cookie; a person's role: viewer or higher; and the password again, within 10 minutes.
         */
        post: operations["dashboardMeSetPassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dashboard/api/reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Asks for a link to set a new password, by e-mail.
         * @description The same answer whoever asks about whom.
         *
         *     Access: open, to the dashboard's pages.
         */
        post: operations["dashboardLinksReset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dashboard/api/second-factor": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Begins a second factor: answers the secret for an authenticator.
         * @description Access: dashboard cookie; a person's role: viewer or higher; and the password again, within 10 minutes.
         */
        post: operations["dashboardMeBeginSecondFactor"];
        /**
         * Turns the second factor off.
         * @description Access: dashboard cookie; a person's role: viewer or higher; and the password again, within 10 minutes.
         */
        delete: operations["dashboardMeRemoveSecondFactor"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dashboard/api/second-factor/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Turns the second factor on and answers recovery codes.
         * @description Access: dashboard cookie; a person's role: viewer or higher; and the password again, within 10 minutes.
         */
        post: operations["dashboardMeConfirmSecondFactor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dashboard/api/second-factor/recovery-codes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Replaces the recovery codes.
         * @description Access: dashboard cookie; a person's role: viewer or higher; and the password again, within 10 minutes.
         */
        post: operations["dashboardMeNewRecoveryCodes"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dashboard/api/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists where the person is signed in.
         * @description Access: dashboard cookie; a person's role: viewer or higher.
         */
        get: operations["dashboardMeSessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dashboard/api/sessions/end-others": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ends all sessions of the person but this one.
         * @description Access: dashboard cookie; a person's role: viewer or higher.
         */
        post: operations["dashboardMeEndOtherSessions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dashboard/api/sessions/{sid}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Ends one of the person's sessions.
         * @description Access: dashboard cookie; a person's role: viewer or higher.
         */
        delete: operations["dashboardMeEndSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dashboard/api/signup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Asks for a sign-up link by e-mail.
         * @description The same answer whoever asks about whom.
         *
         *     Access: open, to the dashboard's pages.
         */
        post: operations["dashboardLinksSignUp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dashboard/api/state": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Tells the pages before signing in what this gateway is like.
         * @description Access: open, to the dashboard's pages.
         */
        get: operations["dashboardLinksState"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dashboard/api/token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Answers an owner JWT for the person who is signed in.
         * @description Access: dashboard cookie; a person's role: viewer or higher; and the password again, within 10 minutes.
         */
        post: operations["dashboardLoginToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Signs a person in: sets the cookie and answers an owner JWT.
         * @description Wrong and unknown are one answer.
         *
         *     Access: e-mail + password (+ second factor).
         */
        post: operations["dashboardLoginLogIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        DirectError: {
            error: string;
        };
        Error: {
            code: number;
            error: string;
            error_code: string;
            field?: string;
            message: string;
            /** @constant */
            success: false;
        };
        RpcError: Record<string, never> | unknown[];
        TokenError: {
            error: string;
            error_description: string;
            message: string;
        };
    };
    responses: {
        /** @description Refused or failed; the text says what to do. */
        DirectError: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["DirectError"];
            };
        };
        /** @description Refused or failed; the text says what to do. */
        Error: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description Refused or failed: a JSON-RPC error, or one for each message of a batch. */
        RpcError: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["RpcError"];
            };
        };
        /** @description Refused or failed, as RFC 6749, 5.2, has it. */
        TokenError: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["TokenError"];
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    dashboardAccountChange: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * @description Of the assistant's answers.
                     * @default null
                     * @enum {string|null}
                     */
                    language?: "en" | "pt-BR" | "es" | null;
                    /** @default null */
                    name?: string | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description The one that the session acts in. */
                        account: {
                            id: string;
                            /** @enum {string} */
                            language: "en" | "pt-BR" | "es";
                            name: string;
                            /** @enum {string} */
                            role: "owner" | "admin" | "developer" | "viewer";
                        };
                        accounts: {
                            id: string;
                            /** @enum {string} */
                            language: "en" | "pt-BR" | "es";
                            name: string;
                            /** @enum {string} */
                            role: "owner" | "admin" | "developer" | "viewer";
                        }[];
                        /**
                         * Format: date-time
                         * @description Until then the password is not asked for again.
                         */
                        proven_until: string | null;
                        session_id: string;
                        user: {
                            email: string;
                            id: string;
                            /** @enum {string} */
                            language: "en" | "pt-BR" | "es";
                            /** @description Runs the whole gateway. */
                            operator: boolean;
                            /** Format: int64 */
                            recovery_codes_left: number;
                            second_factor: boolean;
                        };
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardAccountSignOut: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description Done; there is no body. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardMeSwitchAccount: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    account: string;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description The one that the session acts in. */
                        account: {
                            id: string;
                            /** @enum {string} */
                            language: "en" | "pt-BR" | "es";
                            name: string;
                            /** @enum {string} */
                            role: "owner" | "admin" | "developer" | "viewer";
                        };
                        accounts: {
                            id: string;
                            /** @enum {string} */
                            language: "en" | "pt-BR" | "es";
                            name: string;
                            /** @enum {string} */
                            role: "owner" | "admin" | "developer" | "viewer";
                        }[];
                        /**
                         * Format: date-time
                         * @description Until then the password is not asked for again.
                         */
                        proven_until: string | null;
                        session_id: string;
                        user: {
                            email: string;
                            id: string;
                            /** @enum {string} */
                            language: "en" | "pt-BR" | "es";
                            /** @description Runs the whole gateway. */
                            operator: boolean;
                            /** Format: int64 */
                            recovery_codes_left: number;
                            second_factor: boolean;
                        };
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardAccountAudit: {
        parameters: {
            query?: {
                before?: string;
                kind?: string;
                limit?: number;
            };
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        entries: {
                            /** Format: date-time */
                            at: string;
                            /** @description What is told differs by kind. */
                            detail: {
                                [key: string]: unknown;
                            };
                            id: string;
                            kind: string;
                        }[];
                        /** @description What to pass as `before` for the page after this one. */
                        next: string | null;
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardLoginConfirm: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @default null */
                    otp?: string | null;
                    password: string;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /**
                         * Format: date-time
                         * @description Until then nothing asks again.
                         */
                        proven_until: string;
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardCredentialsList: {
        parameters: {
            query?: {
                instance?: string;
                kind?: "client_token" | "client_secret" | "instance_token" | "api_token" | "session_key";
                state?: "live" | "all";
            };
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        credentials: {
                            /** Format: int64 */
                            age_days: number;
                            /** Format: date-time */
                            created_at: string;
                            /** Format: date-time */
                            expires_at: string | null;
                            /**
                             * Format: date-time
                             * @description Until when it holds after a rotation.
                             */
                            grace_until: string | null;
                            /** @description Prefix and last four characters. */
                            hint: string;
                            id: string;
                            instance_id: string | null;
                            /** @description What it may be used for; `null` is all of the account. */
                            instances: string[] | null;
                            /** @enum {string} */
                            kind: "client_token" | "client_secret" | "instance_token" | "api_token" | "session_key";
                            label: string | null;
                            /** Format: date-time */
                            last_used_at: string | null;
                            /** @description Where it may be used from; `null` is anywhere. */
                            networks: string[] | null;
                            /** @description The client token of a client secret. */
                            parent_id: string | null;
                            /** Format: date-time */
                            revoked_at: string | null;
                            /** @enum {string} */
                            state: "live" | "grace" | "expired" | "revoked";
                        }[];
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardCredentialsCreate: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * Format: date-time
                     * @description RFC 3339, in the future.
                     * @default null
                     */
                    expires_at?: string | null;
                    /**
                     * @description Whose token it is: of instance tokens and session keys.
                     * @default null
                     */
                    instance?: string | null;
                    instances?: (string[] | string) | null;
                    /** @enum {string} */
                    kind: "client" | "api_token" | "instance_token" | "session_key";
                    /** @default null */
                    label?: string | null;
                    networks?: (string[] | string) | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: int64 */
                        age_days: number;
                        /** @description Shown this once. */
                        client_secret?: string;
                        client_secret_id?: string;
                        client_token?: string;
                        /** Format: date-time */
                        created_at: string;
                        /** Format: date-time */
                        expires_at: string | null;
                        /**
                         * Format: date-time
                         * @description Until when it holds after a rotation.
                         */
                        grace_until: string | null;
                        /** @description Prefix and last four characters. */
                        hint: string;
                        id: string;
                        instance_id: string | null;
                        /** @description What it may be used for; `null` is all of the account. */
                        instances: string[] | null;
                        /** @enum {string} */
                        kind: "client_token" | "client_secret" | "instance_token" | "api_token" | "session_key";
                        label: string | null;
                        /** Format: date-time */
                        last_used_at: string | null;
                        /** @description Where it may be used from; `null` is anywhere. */
                        networks: string[] | null;
                        note: string;
                        /** @description The client token of a client secret. */
                        parent_id: string | null;
                        /** @description After a rotation: the predecessor. */
                        replaces?: {
                            /**
                             * Format: date-time
                             * @description Until when it holds; `null`: it has ended.
                             */
                            grace_until: string | null;
                            id: string;
                        };
                        /** Format: date-time */
                        revoked_at: string | null;
                        /** @enum {string} */
                        state: "live" | "grace" | "expired" | "revoked";
                        /** @description Of all kinds but a client's. */
                        token?: string;
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardCredentialsRevoke: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path: {
                cid: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done; there is no body. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardCredentialsChange: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path: {
                cid: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @default null */
                    expires_at?: string | null;
                    instances?: (string[] | string) | null;
                    /** @default null */
                    label?: string | null;
                    networks?: (string[] | string) | null;
                    /** @default null */
                    only_own_session?: boolean | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: int64 */
                        age_days: number;
                        /** Format: date-time */
                        created_at: string;
                        /** Format: date-time */
                        expires_at: string | null;
                        /**
                         * Format: date-time
                         * @description Until when it holds after a rotation.
                         */
                        grace_until: string | null;
                        /** @description Prefix and last four characters. */
                        hint: string;
                        id: string;
                        instance_id: string | null;
                        /** @description What it may be used for; `null` is all of the account. */
                        instances: string[] | null;
                        /** @enum {string} */
                        kind: "client_token" | "client_secret" | "instance_token" | "api_token" | "session_key";
                        label: string | null;
                        /** Format: date-time */
                        last_used_at: string | null;
                        /** @description Where it may be used from; `null` is anywhere. */
                        networks: string[] | null;
                        /** @description The client token of a client secret. */
                        parent_id: string | null;
                        /** Format: date-time */
                        revoked_at: string | null;
                        /** @enum {string} */
                        state: "live" | "grace" | "expired" | "revoked";
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardCredentialsReveal: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path: {
                cid: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        note: string;
                        token: string;
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardCredentialsRotate: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path: {
                cid: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * Format: int64
                     * @default 0
                     */
                    grace_seconds?: number;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: int64 */
                        age_days: number;
                        /** @description Shown this once. */
                        client_secret?: string;
                        client_secret_id?: string;
                        client_token?: string;
                        /** Format: date-time */
                        created_at: string;
                        /** Format: date-time */
                        expires_at: string | null;
                        /**
                         * Format: date-time
                         * @description Until when it holds after a rotation.
                         */
                        grace_until: string | null;
                        /** @description Prefix and last four characters. */
                        hint: string;
                        id: string;
                        instance_id: string | null;
                        /** @description What it may be used for; `null` is all of the account. */
                        instances: string[] | null;
                        /** @enum {string} */
                        kind: "client_token" | "client_secret" | "instance_token" | "api_token" | "session_key";
                        label: string | null;
                        /** Format: date-time */
                        last_used_at: string | null;
                        /** @description Where it may be used from; `null` is anywhere. */
                        networks: string[] | null;
                        note: string;
                        /** @description The client token of a client secret. */
                        parent_id: string | null;
                        /** @description After a rotation: the predecessor. */
                        replaces?: {
                            /**
                             * Format: date-time
                             * @description Until when it holds; `null`: it has ended.
                             */
                            grace_until: string | null;
                            id: string;
                        };
                        /** Format: date-time */
                        revoked_at: string | null;
                        /** @enum {string} */
                        state: "live" | "grace" | "expired" | "revoked";
                        /** @description Of all kinds but a client's. */
                        token?: string;
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardMeAskEmail: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    email: string;
                };
            };
        };
        responses: {
            /** @description Done. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardInstancesList: {
        parameters: {
            query?: {
                page?: number;
                query?: string;
                size?: number;
            };
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        instances: {
                            billing_status: string;
                            /** Format: date-time */
                            connected_at: string | null;
                            /** Format: date-time */
                            created_at: string;
                            hint: string | null;
                            id: string;
                            name: string;
                            paired: boolean;
                            phone: string | null;
                            push_name: string | null;
                            /** @description Why it is so, and what a person can do about it. */
                            reason: string | null;
                            /**
                             * Format: int64
                             * @description The small integer that the MCP tools call `session_id`.
                             */
                            session_id: number;
                            /** @enum {string} */
                            state: "disconnected" | "connecting" | "qr_pending" | "connected" | "logged_out" | "blocked";
                            /** Format: date-time */
                            updated_at: string;
                            webhook: string | null;
                        }[];
                        /** @description How many are in each state. */
                        summary: {
                            [key: string]: number;
                        };
                        /** Format: uint64 */
                        total: number;
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardInstancesCreate: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    name: string;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        billing_status: string;
                        /** Format: date-time */
                        connected_at: string | null;
                        /** Format: date-time */
                        created_at: string;
                        hint: string | null;
                        id: string;
                        name: string;
                        paired: boolean;
                        phone: string | null;
                        push_name: string | null;
                        /** @description Why it is so, and what a person can do about it. */
                        reason: string | null;
                        /**
                         * Format: int64
                         * @description The small integer that the MCP tools call `session_id`.
                         */
                        session_id: number;
                        /** @enum {string} */
                        state: "disconnected" | "connecting" | "qr_pending" | "connected" | "logged_out" | "blocked";
                        /** Format: date-time */
                        updated_at: string;
                        webhook: string | null;
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardInstancesRead: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        billing_status: string;
                        /** Format: date-time */
                        connected_at: string | null;
                        /** Format: date-time */
                        created_at: string;
                        hint: string | null;
                        id: string;
                        name: string;
                        paired: boolean;
                        phone: string | null;
                        push_name: string | null;
                        /** @description Why it is so, and what a person can do about it. */
                        reason: string | null;
                        /**
                         * Format: int64
                         * @description The small integer that the MCP tools call `session_id`.
                         */
                        session_id: number;
                        /** @enum {string} */
                        state: "disconnected" | "connecting" | "qr_pending" | "connected" | "logged_out" | "blocked";
                        /** Format: date-time */
                        updated_at: string;
                        webhook: string | null;
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardInstancesDelete: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done; there is no body. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardInstancesDisconnect: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description Done; there is no body. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardInstancesPairCode: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description With country code; spaces and signs are ignored. */
                    phone: string;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description To be typed on the phone. */
                        code: string;
                        /**
                         * Format: int64
                         * @description Whole seconds in which the phone takes it. Asking again within them answers the same code.
                         */
                        expires_in: number;
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardInstancesQr: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /**
                         * Format: int64
                         * @description Whole seconds until the next code takes its place.
                         */
                        expires_in: number | null;
                        /** @description The text in it: what a virtual phone is given. */
                        qr: string | null;
                        /** @description PNG data URL, while it waits. */
                        qr_image: string | null;
                        /** @enum {string} */
                        status: "waiting" | "connected";
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardInstancesToken: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        note: string;
                        token: string;
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardLinksLook: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    token: string;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        account_name: string | null;
                        /** @description Whom it was sent to; of `email` the new address; `null` for set-up. */
                        email: string | null;
                        /** Format: date-time */
                        expires_at: string;
                        /** @enum {string} */
                        kind: "setup" | "signup" | "invite" | "reset" | "email";
                        /** @description There is a user with that e-mail: ask for that password, not for a new one. */
                        known: boolean;
                        /** @description And for a code of the second factor. */
                        needs_otp: boolean;
                        role: ("owner" | "admin" | "developer" | "viewer") | null;
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardLinksUseLink: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description Of set-up and sign-up.
                     * @default null
                     */
                    account_name?: string | null;
                    /**
                     * @description Of set-up.
                     * @default null
                     */
                    email?: string | null;
                    /**
                     * @default null
                     * @enum {string|null}
                     */
                    language?: "en" | "pt-BR" | "es" | null;
                    /** @default null */
                    otp?: string | null;
                    /**
                     * @description A new one, or that of the user whom the link knows; of all but `email`.
                     * @default null
                     */
                    password?: string | null;
                    token: string;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description With its cookie; not after a reset, nor after a new e-mail. */
                        signed_in: boolean;
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardMeRead: {
        parameters: {
            query?: never;
            header?: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account"?: string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description The one that the session acts in. */
                        account: {
                            id: string;
                            /** @enum {string} */
                            language: "en" | "pt-BR" | "es";
                            name: string;
                            /** @enum {string} */
                            role: "owner" | "admin" | "developer" | "viewer";
                        };
                        accounts: {
                            id: string;
                            /** @enum {string} */
                            language: "en" | "pt-BR" | "es";
                            name: string;
                            /** @enum {string} */
                            role: "owner" | "admin" | "developer" | "viewer";
                        }[];
                        /**
                         * Format: date-time
                         * @description Until then the password is not asked for again.
                         */
                        proven_until: string | null;
                        session_id: string;
                        user: {
                            email: string;
                            id: string;
                            /** @enum {string} */
                            language: "en" | "pt-BR" | "es";
                            /** @description Runs the whole gateway. */
                            operator: boolean;
                            /** Format: int64 */
                            recovery_codes_left: number;
                            second_factor: boolean;
                        };
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardMeChange: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * @default null
                     * @enum {string|null}
                     */
                    language?: "en" | "pt-BR" | "es" | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description The one that the session acts in. */
                        account: {
                            id: string;
                            /** @enum {string} */
                            language: "en" | "pt-BR" | "es";
                            name: string;
                            /** @enum {string} */
                            role: "owner" | "admin" | "developer" | "viewer";
                        };
                        accounts: {
                            id: string;
                            /** @enum {string} */
                            language: "en" | "pt-BR" | "es";
                            name: string;
                            /** @enum {string} */
                            role: "owner" | "admin" | "developer" | "viewer";
                        }[];
                        /**
                         * Format: date-time
                         * @description Until then the password is not asked for again.
                         */
                        proven_until: string | null;
                        session_id: string;
                        user: {
                            email: string;
                            id: string;
                            /** @enum {string} */
                            language: "en" | "pt-BR" | "es";
                            /** @description Runs the whole gateway. */
                            operator: boolean;
                            /** Format: int64 */
                            recovery_codes_left: number;
                            second_factor: boolean;
                        };
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardMembersList: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description To those who may invite; empty to others. */
                        invitations: {
                            /** Format: date-time */
                            created_at: string;
                            email: string;
                            /** Format: date-time */
                            expires_at: string;
                            id: string;
                            /** @enum {string} */
                            role: "owner" | "admin" | "developer" | "viewer";
                        }[];
                        members: {
                            /** Format: date-time */
                            created_at: string;
                            email: string;
                            /** @enum {string} */
                            role: "owner" | "admin" | "developer" | "viewer";
                            second_factor: boolean;
                            user_id: string;
                            /** @description The one who asks. */
                            you: boolean;
                        }[];
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardMembersWithdraw: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path: {
                lid: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done; there is no body. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardMembersInvite: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    email: string;
                    /**
                     * @description Of the letter; the inviter's own when it is left out.
                     * @default null
                     * @enum {string|null}
                     */
                    language?: "en" | "pt-BR" | "es" | null;
                    /** @enum {string} */
                    role: "owner" | "admin" | "developer" | "viewer";
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: date-time */
                        created_at: string;
                        email: string;
                        /** Format: date-time */
                        expires_at: string;
                        id: string;
                        /** @enum {string} */
                        role: "owner" | "admin" | "developer" | "viewer";
                        /**
                         * @description `file`: no mail server is configured, the letter lies in the operator's mail folder.
                         * @enum {string}
                         */
                        sent: "smtp" | "file";
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardMembersRemove: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path: {
                uid: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done; there is no body. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardMembersSetRole: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path: {
                uid: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @enum {string} */
                    role: "owner" | "admin" | "developer" | "viewer";
                };
            };
        };
        responses: {
            /** @description Done; there is no body. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardMeSetPassword: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    password: string;
                };
            };
        };
        responses: {
            /** @description Done; there is no body. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardLinksReset: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    email: string;
                    /**
                     * @default null
                     * @enum {string|null}
                     */
                    language?: "en" | "pt-BR" | "es" | null;
                    /** @default null */
                    turnstile_token?: string | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardMeBeginSecondFactor: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        otpauth_url: string;
                        /** @description The same as a picture: a PNG data URL. */
                        qr_image: string;
                        /** @description Base32, to be typed. */
                        secret: string;
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardMeRemoveSecondFactor: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done; there is no body. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardMeConfirmSecondFactor: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    otp: string;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Shown this once; each is good once. */
                        recovery_codes: string[];
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardMeNewRecoveryCodes: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Shown this once; each is good once. */
                        recovery_codes: string[];
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardMeSessions: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        sessions: {
                            account_name: string;
                            address: string | null;
                            /** @description What the browser called itself. */
                            agent: string | null;
                            /** Format: date-time */
                            created_at: string;
                            current: boolean;
                            id: string;
                            /**
                             * Format: date-time
                             * @description To within some minutes.
                             */
                            seen_at: string;
                        }[];
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardMeEndOtherSessions: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description Done; there is no body. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardMeEndSession: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path: {
                sid: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done; there is no body. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardLinksSignUp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    email: string;
                    /**
                     * @default null
                     * @enum {string|null}
                     */
                    language?: "en" | "pt-BR" | "es" | null;
                    /** @default null */
                    turnstile_token?: string | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardLinksState: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /**
                         * @description Whether letters are sent, or left as files for the operator.
                         * @enum {string}
                         */
                        mail: "smtp" | "file";
                        /** @enum {string} */
                        network: "whatsapp" | "sandbox";
                        public_url: string;
                        /** @description Where virtual phones are made, on the sandbox network. */
                        sandbox_url: string | null;
                        /** @description Nobody has set this gateway up: the link of the first start is where the program said. */
                        setup_needed: boolean;
                        /** @enum {string} */
                        signup: "closed" | "invite" | "open";
                        /** @description Where the source of this program is, as its licence asks. */
                        source_url: string;
                        turnstile: {
                            site_key: string;
                        } | null;
                        version: string;
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardLoginToken: {
        parameters: {
            query?: never;
            header: {
                /** @description account.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-Account": string;
                /** @description user.id of GET /dashboard/api/me: whom the call means */
                "X-Recado-User": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        access_token: string;
                        /**
                         * Format: int64
                         * @description Seconds.
                         */
                        expires_in: number;
                        /** @constant */
                        token_type: "Bearer";
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dashboardLoginLogIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description Which account to act in, for members of several.
                     * @default null
                     */
                    account?: string | null;
                    email: string;
                    /**
                     * @description A code of the second factor, or a recovery code.
                     * @default null
                     */
                    otp?: string | null;
                    password: string;
                    /**
                     * @description What the Turnstile widget gave, where one is configured.
                     * @default null
                     */
                    turnstile_token?: string | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        access_token: string;
                        /**
                         * Format: int64
                         * @description Seconds.
                         */
                        expires_in: number;
                        /** @constant */
                        token_type: "Bearer";
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
}
