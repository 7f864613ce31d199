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
        /** dashboard cookie */
        patch: operations["patchDashboardApiAccount"];
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
        /** dashboard cookie */
        post: operations["postDashboardApiAccountSignOut"];
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
        /** dashboard cookie */
        post: operations["postDashboardApiAccountSwitch"];
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
        /** dashboard cookie */
        get: operations["getDashboardApiAudit"];
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
        /** dashboard cookie */
        post: operations["postDashboardApiConfirm"];
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
        /** dashboard cookie */
        get: operations["getDashboardApiCredentials"];
        put?: never;
        /** dashboard cookie */
        post: operations["postDashboardApiCredentials"];
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
        /** dashboard cookie */
        delete: operations["deleteDashboardApiCredentialsCid"];
        options?: never;
        head?: never;
        /** dashboard cookie */
        patch: operations["patchDashboardApiCredentialsCid"];
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
        /** dashboard cookie */
        post: operations["postDashboardApiCredentialsCidReveal"];
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
        /** dashboard cookie */
        post: operations["postDashboardApiCredentialsCidRotate"];
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
        /** dashboard cookie */
        post: operations["postDashboardApiEmail"];
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
        /** dashboard cookie */
        get: operations["getDashboardApiInstances"];
        put?: never;
        /** dashboard cookie */
        post: operations["postDashboardApiInstances"];
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
        /** dashboard cookie of the instance's account */
        get: operations["getDashboardApiInstancesId"];
        put?: never;
        post?: never;
        /** dashboard cookie of the instance's account */
        delete: operations["deleteDashboardApiInstancesId"];
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
        /** dashboard cookie of the instance's account */
        post: operations["postDashboardApiInstancesIdDisconnect"];
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
        /** dashboard cookie of the instance's account */
        post: operations["postDashboardApiInstancesIdPairCode"];
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
        /** dashboard cookie of the instance's account */
        get: operations["getDashboardApiInstancesIdQr"];
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
        /** dashboard cookie of the instance's account */
        post: operations["postDashboardApiInstancesIdToken"];
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
        /** open, to the dashboard's pages */
        post: operations["postDashboardApiLinksLook"];
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
        /** open, to the dashboard's pages */
        post: operations["postDashboardApiLinksUse"];
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
        /** dashboard cookie, whoever's it is */
        get: operations["getDashboardApiMe"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** dashboard cookie */
        patch: operations["patchDashboardApiMe"];
        trace?: never;
    };
    "/dashboard/api/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** dashboard cookie */
        get: operations["getDashboardApiMembers"];
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
        /** dashboard cookie */
        delete: operations["deleteDashboardApiMembersInvitationsLid"];
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
        /** dashboard cookie */
        post: operations["postDashboardApiMembersInvite"];
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
        /** dashboard cookie */
        delete: operations["deleteDashboardApiMembersUid"];
        options?: never;
        head?: never;
        /** dashboard cookie */
        patch: operations["patchDashboardApiMembersUid"];
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
        /** dashboard cookie */
        post: operations["postDashboardApiPassword"];
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
        /** open, to the dashboard's pages */
        post: operations["postDashboardApiReset"];
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
        /** dashboard cookie */
        post: operations["postDashboardApiSecondFactor"];
        /** dashboard cookie */
        delete: operations["deleteDashboardApiSecondFactor"];
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
        /** dashboard cookie */
        post: operations["postDashboardApiSecondFactorConfirm"];
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
        /** dashboard cookie */
        post: operations["postDashboardApiSecondFactorRecoveryCodes"];
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
        /** dashboard cookie */
        get: operations["getDashboardApiSessions"];
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
        /** dashboard cookie */
        post: operations["postDashboardApiSessionsEndOthers"];
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
        /** dashboard cookie */
        delete: operations["deleteDashboardApiSessionsSid"];
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
        /** open, to the dashboard's pages */
        post: operations["postDashboardApiSignup"];
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
        /** open, to the dashboard's pages */
        get: operations["getDashboardApiState"];
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
        /** dashboard cookie */
        post: operations["postDashboardApiToken"];
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
        /** e-mail + password (+ second factor) */
        post: operations["postLogin"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: never;
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    patchDashboardApiAccount: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    postDashboardApiAccountSignOut: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    postDashboardApiAccountSwitch: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    getDashboardApiAudit: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    postDashboardApiConfirm: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    getDashboardApiCredentials: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    postDashboardApiCredentials: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    deleteDashboardApiCredentialsCid: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    patchDashboardApiCredentialsCid: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    postDashboardApiCredentialsCidReveal: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    postDashboardApiCredentialsCidRotate: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    postDashboardApiEmail: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    getDashboardApiInstances: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    postDashboardApiInstances: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    getDashboardApiInstancesId: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    deleteDashboardApiInstancesId: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    postDashboardApiInstancesIdDisconnect: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    postDashboardApiInstancesIdPairCode: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    getDashboardApiInstancesIdQr: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    postDashboardApiInstancesIdToken: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    postDashboardApiLinksLook: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    postDashboardApiLinksUse: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    getDashboardApiMe: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    patchDashboardApiMe: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    getDashboardApiMembers: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    deleteDashboardApiMembersInvitationsLid: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    postDashboardApiMembersInvite: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    deleteDashboardApiMembersUid: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    patchDashboardApiMembersUid: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    postDashboardApiPassword: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    postDashboardApiReset: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    postDashboardApiSecondFactor: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    deleteDashboardApiSecondFactor: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    postDashboardApiSecondFactorConfirm: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    postDashboardApiSecondFactorRecoveryCodes: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    getDashboardApiSessions: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    postDashboardApiSessionsEndOthers: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    deleteDashboardApiSessionsSid: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    postDashboardApiSignup: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    getDashboardApiState: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    postDashboardApiToken: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
    postLogin: {
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
            /** @description Refused or failed; the text says what to do. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        error: string;
                        error_code: string;
                        field?: string;
                        message: string;
                        /** @constant */
                        success: false;
                    };
                };
            };
        };
    };
}
