/**
 * Cloudflare Turnstile, only where the gateway is configured for it: its script is fetched when the
 * first form that needs it is drawn, and not before. A token holds for one call, so each failure
 * asks for a new one.
 */
import { useComputedColorScheme } from '@mantine/core';
import { useCallback, useEffect, useRef, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '@/api/client';
import { useGateway } from '@/api/hooks/state';
import { useLanguage } from '@/i18n';
import { ErrorNote } from '@/ui';

const SCRIPT = 'https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit';

/** The part of the vendor's script that is used. */
type Turnstile = {
  render: (
    place: HTMLElement,
    options: {
      sitekey: string;
      action: string;
      language: string;
      theme: 'light' | 'dark';
      size: 'flexible';
      callback: (token: string) => void;
      'expired-callback': () => void;
      'timeout-callback': () => void;
      'error-callback': () => boolean;
    },
  ) => string;
  remove: (widget: string) => void;
};
declare global {
  interface Window {
    turnstile?: Turnstile;
  }
}

let loading: Promise<Turnstile> | null = null;

function load(): Promise<Turnstile> {
  loading ??= new Promise<Turnstile>((resolve, reject) => {
    const script = document.createElement('script');
    script.src = SCRIPT;
    script.async = true;
    const fail = () => {
      loading = null;
      script.remove();
      reject(new Error('turnstile did not load'));
    };
    script.onload = () => (window.turnstile ? resolve(window.turnstile) : fail());
    script.onerror = fail;
    document.head.append(script);
  });
  return loading;
}

export type HumanCheck = {
  /** True when the form may be sent. */
  ready: boolean;
  /** Draw this in the form. */
  widget: ReactNode;
  /** What to put into the request. */
  field: () => { turnstile_token?: string };
  /** After a failed call: the token is spent. */
  again: () => void;
};

/** The check for one form. `action` is compared by the gateway. */
export function useHumanCheck(action: 'login' | 'signup' | 'reset'): HumanCheck {
  const siteKey = useGateway().data?.turnstile?.site_key ?? null;
  const [token, setToken] = useState<string | null>(null);
  const [round, setRound] = useState(0);
  const again = useCallback(() => {
    setToken(null);
    setRound((n) => n + 1);
  }, []);
  return {
    ready: siteKey === null || token !== null,
    widget: siteKey && (
      <Widget key={round} siteKey={siteKey} action={action} onToken={setToken} onRetry={again} />
    ),
    field: () => (token === null ? {} : { turnstile_token: token }),
    again,
  };
}

function Widget({
  siteKey,
  action,
  onToken,
  onRetry,
}: {
  siteKey: string;
  action: string;
  onToken: (token: string | null) => void;
  onRetry: () => void;
}) {
  const { t } = useTranslation('session');
  const place = useRef<HTMLDivElement>(null);
  const [failed, setFailed] = useState(false);
  const language = useLanguage();
  const theme = useComputedColorScheme('light');

  useEffect(() => {
    let widget: string | null = null;
    let gone = false;
    load().then(
      (turnstile) => {
        if (gone || !place.current) return;
        widget = turnstile.render(place.current, {
          sitekey: siteKey,
          action,
          language: language.toLowerCase(),
          theme,
          size: 'flexible',
          callback: onToken,
          'expired-callback': () => onToken(null),
          'timeout-callback': () => onToken(null),
          'error-callback': () => {
            setFailed(true);
            onToken(null);
            return true;
          },
        });
      },
      () => {
        if (!gone) setFailed(true);
      },
    );
    return () => {
      gone = true;
      if (widget !== null) window.turnstile?.remove(widget);
    };
  }, [siteKey, action, onToken, language, theme]);

  return (
    <div>
      <div ref={place} aria-label={t('humanCheck')} role="group" />
      {failed && (
        <ErrorNote
          error={new ApiError(0, 'human_check_unreachable', '')}
          onRetry={onRetry}
        />
      )}
    </div>
  );
}
