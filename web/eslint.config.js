import hooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

const WAYS = ['fetch', 'XMLHttpRequest', 'EventSource', 'WebSocket'];
const ONE_WAY = 'The one way to the gateway is src/api/client.ts.';

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'e2e/**/results', 'public'] },
  ...tseslint.configs.recommended,
  { files: ['src/**/*.{ts,tsx}'], ...hooks.configs.flat.recommended },
  {
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      // Text from people is text: there is no way to put HTML on a page.
      'no-restricted-syntax': [
        'error',
        {
          selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']",
          message: 'Text from people is text. Let React write it.',
        },
      ],
      'no-eval': 'error',
      eqeqeq: ['error', 'smart'],
    },
  },
  {
    // Each call names the account that the page shows: there is one way to the gateway.
    files: ['src/**/*.{ts,tsx}'],
    ignores: ['src/api/client.ts', 'src/**/*.test.ts'],
    rules: {
      'no-restricted-globals': ['error', ...WAYS.map((name) => ({ name, message: ONE_WAY }))],
      'no-restricted-properties': [
        'error',
        ...[...WAYS, 'sendBeacon', 'open'].flatMap((property) =>
          ['window', 'globalThis', 'navigator'].map((object) => ({ object, property, message: ONE_WAY })),
        ),
      ],
    },
  },
);
