import css from './Wordmark.module.css';

/** A note with a folded corner. */
export function NoteMark({ size = 26 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden className={css.mark}>
      <path className={css.paper} d="M5 3.5h15.5L27 10v18.5H5z" />
      <path className={css.fold} d="M20.5 3.5V10H27z" />
      <path className={css.lines} d="M10 15.5h12M10 20.5h8" />
    </svg>
  );
}

export function Wordmark({ size = 26 }: { size?: number }) {
  return (
    <span className={css.word} style={{ fontSize: size * 0.88 }}>
      <NoteMark size={size} />
      recado
    </span>
  );
}
