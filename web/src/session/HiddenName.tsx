/** Tells a password manager whose password is asked for, where the page shows no e-mail field. */
export function HiddenName({ email }: { email: string }) {
  return (
    <input
      type="text"
      name="username"
      autoComplete="username"
      value={email}
      readOnly
      tabIndex={-1}
      aria-hidden
      className="unseen"
    />
  );
}
