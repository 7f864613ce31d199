import css from './Door.module.css';

/** Notes passed on from one to the next; the last one has arrived. */
export function Art() {
  return (
    <svg className={css.art} viewBox="0 0 360 300" aria-hidden>
      <path className={css.path} d="M50 176C54 134 82 112 124 126M196 96C200 54 222 36 250 46" />
      <g transform="translate(12 196) rotate(-9) scale(.78)">
        <path className={css.paper} d="M0 0h66l22 22v78H0z" />
        <path className={css.corner} d="M66 0v22h22z" />
        <path className={css.ink} d="M16 40h54M16 57h38" />
      </g>
      <g transform="translate(136 106) rotate(6) scale(.9)">
        <path className={css.paper} d="M0 0h66l22 22v78H0z" />
        <path className={css.corner} d="M66 0v22h22z" />
        <path className={css.ink} d="M16 40h54M16 57h54M16 74h26" />
      </g>
      <g transform="translate(258 22) rotate(-4)">
        <path className={css.paperLast} d="M0 0h66l22 22v78H0z" />
        <path className={css.cornerLast} d="M66 0v22h22z" />
        <path className={css.inkLast} d="M26 56l13 13 25-28" />
      </g>
    </svg>
  );
}
