import { QueryClient } from '@tanstack/react-query';
import { ApiError, sessionOver } from '../api/http';

export const sessionKey = ['session'] as const;

/** Asks anew who is logged in. A 401 to any request does so by itself. */
export const sessionLost = () => void queryClient.invalidateQueries({ queryKey: sessionKey });

export const queryClient: QueryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      refetchOnWindowFocus: false,
      retry: (count, error) => count < 2 && error instanceof ApiError && (error.status === 0 || error.status >= 502),
    },
  },
});

globalThis.addEventListener?.(sessionOver, sessionLost); // tests of logic have no window
