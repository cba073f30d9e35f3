// What this browser remembers of uploads that have not ended, so that choosing the same file again goes on with it.

interface Memory {
  uploadId: string;
  name: string;
  size: number;
  modified: number;
}

const place = (bucket: string, key: string) => `objsrv.upload:${bucket}/${key}`;

/** The upload that was begun of this very file to this place. */
export function recall(bucket: string, key: string, file: File): string | undefined {
  try {
    const m = JSON.parse(localStorage.getItem(place(bucket, key)) ?? 'null') as Memory | null;
    return m && m.name === file.name && m.size === file.size && m.modified === file.lastModified ? m.uploadId : undefined;
  } catch {
    return undefined;
  }
}

export function remember(bucket: string, key: string, file: File, uploadId: string) {
  try {
    localStorage.setItem(place(bucket, key), JSON.stringify({ uploadId, name: file.name, size: file.size, modified: file.lastModified } satisfies Memory));
  } catch {
    // Without room for it the upload begins anew the next time.
  }
}

export const forget = (bucket: string, key: string) => localStorage.removeItem(place(bucket, key));
