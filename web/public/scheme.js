// Light or dark before the first paint: a file of its own, because the policy allows no inline script.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem('recado.scheme');
  } catch {
    // Storage may be forbidden; then the system decides.
  }
  var dark =
    chosen === 'dark' ||
    (chosen !== 'light' && window.matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
})();
