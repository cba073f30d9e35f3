import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import './app/base.css';
import { MantineProvider, localStorageColorSchemeManager } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClientProvider } from '@tanstack/react-query';
import { setNonce } from 'get-nonce';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app/App';
import { CrashBoundary } from './app/CrashBoundary';
import { nonce } from './app/nonce';
import { queryClient } from './app/query';
import { cssVariables, theme } from './app/theme';
import { LanguageProvider } from './i18n';

setNonce(nonce()); // of the styles that keep the page behind a dialog from scrolling

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      defaultColorScheme="auto"
      colorSchemeManager={localStorageColorSchemeManager({ key: 'objsrv.theme' })}
      getStyleNonce={nonce}
    >
      <LanguageProvider>
        <QueryClientProvider client={queryClient}>
          <Notifications position="bottom-left" limit={4} containerWidth={400} />
          <CrashBoundary>
            <App />
          </CrashBoundary>
        </QueryClientProvider>
      </LanguageProvider>
    </MantineProvider>
  </StrictMode>,
);
