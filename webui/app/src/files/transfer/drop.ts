// Files and folders that were dropped or chosen.

export interface Picked {
  /** Path below the folder that it goes to. */
  path: string;
  file: File;
}

/** Reads what was dropped, folders with all that is in them. It has to be called while the event runs. */
export async function dropped(data: DataTransfer): Promise<Picked[]> {
  const entries = [...data.items].map((i) => i.webkitGetAsEntry()).filter((e) => e !== null);
  const out: Picked[] = [];
  for (const e of entries) await walk(e, '', out);
  return out;
}

/** Reads what a file dialog has given. */
export const chosen = (files: FileList): Picked[] => [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));

async function walk(entry: FileSystemEntry, above: string, out: Picked[]): Promise<void> {
  const path = above + entry.name;
  if (entry.isFile) {
    out.push({ path, file: await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)) });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // A reader gives some at a time, and none at the end.
    const list = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (list.length === 0) return;
    for (const e of list) await walk(e, path + '/', out);
  }
}
