/** Where the dashboard lives: below the path of the gateway's `public_url`, if that has one. */

/** The gateway writes it into the page; the development server leaves a word of no meaning. */
const written = document.querySelector<HTMLMetaElement>('meta[property="recado-path"]')?.content;

/** Whoever is on the gateway's own machine may have come past the proxy that adds the path. */
const isBelow = (path: string) => window.location.pathname.startsWith(`${path}/dashboard`);

/** Without a slash at the end; mostly empty. */
export const PATH = written !== undefined && isBelow(written) ? written : '';

/** The addresses of the pages begin with it. */
export const DASHBOARD = `${PATH}/dashboard`;

/** The first page. */
export const HOME = `${DASHBOARD}/`;
