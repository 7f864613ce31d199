/** What a browser says of itself, as far as people care. Order matters: most claim to be others, too. */
const BROWSERS: [RegExp, string][] = [
  [/Edg(?:e|A|iOS)?\//, 'Edge'],
  [/OPR\/|Opera/, 'Opera'],
  [/SamsungBrowser\//, 'Samsung Internet'],
  [/Firefox\/|FxiOS\//, 'Firefox'],
  [/HeadlessChrome\/|Chrome\/|CriOS\/|Chromium\//, 'Chrome'],
  [/Safari\//, 'Safari'],
];
const SYSTEMS: [RegExp, string][] = [
  [/iPhone/, 'iPhone'],
  [/iPad/, 'iPad'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Mac OS X|Macintosh/, 'macOS'],
  [/CrOS/, 'ChromeOS'],
  [/Linux/, 'Linux'],
];

const first = (from: [RegExp, string][], agent: string) =>
  from.find(([shape]) => shape.test(agent))?.[1];

/** `User-Agent` → browser and system; `other` is the text's first word when it is no browser. */
export function device(agent: string | null): {
  browser?: string;
  system?: string;
  other?: string;
} {
  if (!agent) return {};
  const browser = first(BROWSERS, agent);
  const system = first(SYSTEMS, agent);
  if (browser && system) return { browser, system };
  return { other: agent.split(' ')[0]?.slice(0, 60) };
}
