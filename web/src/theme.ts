/** The look: warm paper, pine ink, an amber fold. Both schemes are designed, none is derived. */
import {
  createTheme,
  localStorageColorSchemeManager,
  type CSSVariablesResolver,
  type MantineColorsTuple,
} from '@mantine/core';

const pine: MantineColorsTuple = [
  '#edf6f2', '#d8ebe3', '#b0d7c8', '#82c1aa', '#57aa8e',
  '#359377', '#237d66', '#176b58', '#0f5c4d', '#0a4639',
]; // prettier-ignore
const amber: MantineColorsTuple = [
  '#fdf5e6', '#faebcd', '#f4d79b', '#eec066', '#e8a33d',
  '#d18a22', '#a96b12', '#85530c', '#6b430a', '#4a2e06',
]; // prettier-ignore
const clay: MantineColorsTuple = [
  '#fcefec', '#f8ddd7', '#f0bbb0', '#e69282', '#dd6f5c',
  '#cf5340', '#b83f2e', '#a03424', '#87291b', '#621c12',
]; // prettier-ignore
const gray: MantineColorsTuple = [
  '#faf8f3', '#f3f0e8', '#e9e5da', '#ddd8ca', '#c9c3b3',
  '#a8a294', '#777267', '#5c584f', '#3d3a34', '#24221f',
]; // prettier-ignore
const dark: MantineColorsTuple = [
  '#e9ece7', '#cbd2cc', '#a8b1ab', '#87918b', '#3d4742',
  '#333c37', '#252d29', '#1a201d', '#121614', '#0c0f0e',
]; // prettier-ignore

export const SANS = "'Figtree Variable', system-ui, sans-serif";
export const MONO = "'JetBrains Mono Variable', ui-monospace, monospace";
const DISPLAY = "'Bricolage Grotesque Variable', 'Figtree Variable', system-ui, sans-serif";

export const theme = createTheme({
  colors: { pine, amber, clay, gray, dark },
  primaryColor: 'pine',
  primaryShade: { light: 8, dark: 6 },
  fontFamily: SANS,
  fontFamilyMonospace: MONO,
  headings: {
    fontFamily: DISPLAY,
    fontWeight: '640',
    sizes: {
      h1: { fontSize: '1.875rem', lineHeight: '1.2' },
      h2: { fontSize: '1.25rem', lineHeight: '1.3' },
      h3: { fontSize: '1.0625rem', lineHeight: '1.35' },
    },
  },
  defaultRadius: 'md',
  radius: { xs: '4px', sm: '6px', md: '9px', lg: '14px', xl: '20px' },
  cursorType: 'pointer',
  respectReducedMotion: true,
  focusRing: 'auto',
  components: {
    Button: { defaultProps: { size: 'sm' }, styles: { label: { fontWeight: 600 } } },
    TextInput: { defaultProps: { size: 'md' } },
    PasswordInput: { defaultProps: { size: 'md' } },
    Select: { defaultProps: { size: 'md', allowDeselect: false } },
    NumberInput: { defaultProps: { size: 'md' } },
    Textarea: { defaultProps: { size: 'md' } },
    Anchor: { defaultProps: { underline: 'always' } },
    Tooltip: { defaultProps: { withArrow: true, openDelay: 300 } },
    Menu: { defaultProps: { shadow: 'md', radius: 'md' } },
  },
});

/** Names that say what a colour is for; the style sheets use only these. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#f6f4ee',
    '--mantine-color-text': '#1c2420',
    '--mantine-color-dimmed': '#59625c',
    '--mantine-color-error': '#a03424',
    '--mantine-color-anchor': '#0f5c4d',
    '--mantine-color-placeholder': '#6f7670',
    '--mantine-color-default': '#fffefb',
    '--mantine-color-default-border': '#cfcabc',
    '--ground': '#f6f4ee',
    '--card': '#fffefb',
    '--sunken': '#f1eee5',
    '--line': '#e3dfd3',
    '--ink': '#1c2420',
    '--ink-quiet': '#59625c',
    '--accent': '#0f5c4d',
    '--accent-soft': '#e2efe9',
    '--good': '#0f5c4d',
    '--good-soft': '#e0efe8',
    '--warn': '#7a4a06',
    '--warn-soft': '#faeed5',
    '--bad': '#962f20',
    '--bad-soft': '#fae6e1',
    '--idle': '#59625c',
    '--idle-soft': '#ece9df',
    '--fold': '#e8a33d',
    '--lift': '0 1px 2px rgb(60 50 20 / 5%), 0 6px 20px -10px rgb(60 50 20 / 12%)',
  },
  dark: {
    '--mantine-color-body': '#121614',
    '--mantine-color-text': '#e9ece7',
    '--mantine-color-dimmed': '#a8b1ab',
    '--mantine-color-error': '#f09a8b',
    '--mantine-color-anchor': '#7cd0b7',
    '--mantine-color-placeholder': '#929c95',
    '--mantine-color-default': '#1d2421',
    '--mantine-color-default-border': '#3d4742',
    '--ground': '#121614',
    '--card': '#1a201d',
    '--sunken': '#151a18',
    '--line': '#2a322e',
    '--ink': '#e9ece7',
    '--ink-quiet': '#a8b1ab',
    '--accent': '#7cd0b7',
    '--accent-soft': '#1d332c',
    '--good': '#86d6be',
    '--good-soft': '#1b332b',
    '--warn': '#f0c476',
    '--warn-soft': '#352a15',
    '--bad': '#f3a597',
    '--bad-soft': '#3a211c',
    '--idle': '#a8b1ab',
    '--idle-soft': '#262d29',
    '--fold': '#e8a33d',
    '--lift': '0 1px 2px rgb(0 0 0 / 30%)',
  },
});

export const schemes = localStorageColorSchemeManager({ key: 'recado.scheme' });
