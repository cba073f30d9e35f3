import { createTheme, type CSSVariablesResolver } from '@mantine/core';

/** Calm and dense enough for work: one accent, small radii, the system's own typefaces. */
export const theme = createTheme({
  primaryColor: 'indigo',
  primaryShade: { light: 8, dark: 8 },
  // Greys with a touch of blue, from text to background.
  colors: { dark: ['#d4d7dc', '#b8bdc5', '#969ca5', '#6f7680', '#3d434b', '#30353b', '#24282d', '#17191c', '#131517', '#0f1113'] },
  defaultRadius: 'md',
  cursorType: 'pointer',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.125rem' },
  headings: {
    fontWeight: '600',
    sizes: { h1: { fontSize: '1.375rem', lineHeight: '1.35' }, h2: { fontSize: '1.0625rem', lineHeight: '1.4' }, h3: { fontSize: '0.9375rem', lineHeight: '1.4' } },
  },
  components: {
    Button: { defaultProps: { fw: 500 } },
    Modal: { defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.45 }, transitionProps: { duration: 120 } } },
    Drawer: { defaultProps: { overlayProps: { backgroundOpacity: 0.3 }, transitionProps: { duration: 120 } } },
    Menu: { defaultProps: { shadow: 'md', transitionProps: { duration: 80 } } },
    Tooltip: { defaultProps: { openDelay: 350, withArrow: true } },
    Tabs: { styles: { tab: { paddingInline: 12 } } },
    Switch: { styles: { description: { fontSize: 'var(--mantine-font-size-xs)' } } },
    Radio: { styles: { description: { fontSize: 'var(--mantine-font-size-xs)' } } },
    InputWrapper: { styles: { description: { fontSize: 'var(--mantine-font-size-xs)' } } },
    Badge: { defaultProps: { variant: 'light', radius: 'sm', tt: 'none', fw: 500 } },
    Loader: { defaultProps: { type: 'dots' } },
    Paper: { defaultProps: { radius: 'md' } },
  },
});

/** Shades that the library's defaults make too faint for 4.5:1. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-text': '#1d2127',
    '--mantine-color-dimmed': '#5b626b',
    '--mantine-color-placeholder': '#6b727b',
    '--mantine-color-error': '#c92a2a',
    '--mantine-color-anchor': '#364fc7',
    '--mantine-color-body': '#ffffff',
    '--app-side': '#f7f8fa',
    '--app-line': '#e4e7eb',
    '--app-hover': '#f1f3f6',
    '--app-active': '#e7ecfd',
    '--app-folder': '#5c7cfa',
    '--app-code-name': '#364fc7',
    '--app-code-string': '#2b7236',
    '--app-code-value': '#a8450a',
  },
  dark: {
    '--mantine-color-text': '#d4d7dc',
    '--mantine-color-dimmed': '#a2a8b0',
    '--mantine-color-placeholder': '#8d939b',
    '--mantine-color-error': '#ff8787',
    '--mantine-color-anchor': '#91a7ff',
    '--mantine-color-body': '#17191c',
    '--app-side': '#1c1f23',
    '--app-line': '#2e3238',
    '--app-hover': '#22262b',
    '--app-active': '#262d47',
    '--app-folder': '#748ffc',
    '--app-code-name': '#a5b7ff',
    '--app-code-string': '#8fd19e',
    '--app-code-value': '#ffb37a',
  },
});
