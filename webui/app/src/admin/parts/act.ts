import { useCallback, useState } from 'react';
import { useDone, useReport } from '../../ui/report';
import { useChanged } from '../data';

/** Returns what does something on the server: an error is reported, a success told, and the pages ask anew. */
export function useAct(): { busy: boolean; act: (what: () => Promise<unknown>, done?: string) => Promise<boolean> } {
  const report = useReport();
  const tell = useDone();
  const changed = useChanged();
  const [busy, setBusy] = useState(false);
  const act = useCallback(
    async (what: () => Promise<unknown>, done?: string) => {
      setBusy(true);
      try {
        await what();
        await changed();
        if (done) tell(done);
        return true;
      } catch (e) {
        report(e);
        return false;
      } finally {
        setBusy(false);
      }
    },
    [report, tell, changed],
  );
  return { busy, act };
}
