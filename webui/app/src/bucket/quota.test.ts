import { expect, it } from 'vitest';
import { quotaRequests } from './Quota';

it.each([
  [{ quota: 5, objects: 7 }, { quota: 9, objects: 7 }, [{ method: 'PUT', body: { quota: 9 } }]],
  [{ quota: 5, objects: 7 }, { quota: 0, objects: 7 }, [{ method: 'DELETE', of: 'quota' }]],
  [{ quota: 5, objects: 7 }, { quota: 5, objects: 0 }, [{ method: 'DELETE', of: 'objects' }]],
  [{ quota: 0, objects: 7 }, { quota: 9, objects: 0 }, [{ method: 'PUT', body: { quota: 9 } }, { method: 'DELETE', of: 'objects' }]],
  [{ quota: 0, objects: 0 }, { quota: 1, objects: 2 }, [{ method: 'PUT', body: { quota: 1, objects: 2 } }]],
  [{ quota: 3, objects: 3 }, { quota: 3, objects: 3 }, []],
])('from %j to %j', (now, want, requests) => {
  expect(quotaRequests(now, want)).toEqual(requests);
});
