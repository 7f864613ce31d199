/** What `cargo xtask browser` tells. RECADO_TEST_… are ours, all other RECADO_… the gateway's settings. */

function told(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: start these tests with \`cargo xtask browser\``);
  return value;
}

export const env = {
  /** The gateway, without a slash at the end. */
  url: told('RECADO_TEST_URL'),
  /** The sandbox network's control API. */
  sandbox: told('RECADO_TEST_SANDBOX'),
  /** The gateway's data folder. */
  data: told('RECADO_TEST_DATA'),
  /** The program itself, for its command line and for further gateways. */
  program: told('RECADO_TEST_PROGRAM'),
  chromium: told('RECADO_TEST_CHROMIUM'),
};
