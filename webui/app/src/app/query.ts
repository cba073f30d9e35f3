import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { ApiError } from '../api/http';

export const sessionKey = ['session'] as const;

/** Asks anew who is logged in; for whoever got a 401 outside of a query. */
export const sessionLost = () => void queryClient.invalidateQueries({ queryKey: sessionKey });

const watch = (error: Error) => {
  if (error instanceof ApiError && error.status === 401) sessionLost();
};

export const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: watch }),
  mutationCache: new MutationCache({ onError: watch }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      refetchOnWindowFocus: false,
      retry: (count, error) => count < 2 && error instanceof ApiError && (error.status === 0 || error.status >= 502),
    },
  },
});
