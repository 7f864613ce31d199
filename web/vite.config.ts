import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { firstLoad } from './scripts/first-load.ts';

/** Where the gateway listens while one works on the dashboard with `npm run dev`. */
const gateway = process.env.RECADO_URL ?? 'http://127.0.0.1:8080';

export default defineConfig(({ command }) => ({
  // What is built finds its files beside itself, wherever the gateway's public address says that it is.
  base: command === 'build' ? './' : '/dashboard/',
  experimental: {
    renderBuiltUrl: (file, { hostType }) =>
      // The page itself is drawn at many addresses: the gateway writes the path.
      hostType === 'html' ? `__PATH__/dashboard/${file}` : { relative: true },
  },
  plugins: [react(), firstLoad({ limitKb: 250 })],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    target: 'es2022',
    // The content security policy lets data: addresses be images only, and only our own files be
    // fonts or styles: nothing is inlined.
    assetsInlineLimit: 0,
    // Sizes are printed compressed by `firstLoad`.
    reportCompressedSize: false,
  },
  server: {
    proxy: Object.fromEntries(
      ['/dashboard/api', '/login', '/logout'].map((path) => [
        path,
        // The gateway compares `Origin` with its own address.
        { target: gateway, changeOrigin: true, headers: { origin: gateway } },
      ]),
    ),
  },
  test: { environment: 'happy-dom', include: ['src/**/*.test.{ts,tsx}'], restoreMocks: true },
}));
