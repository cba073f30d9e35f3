import type { Entry } from '../api/s3';
import { CopyDialog } from './dialogs/CopyDialog';
import { DeleteDialog } from './dialogs/DeleteDialog';
import { FolderDialog } from './dialogs/FolderDialog';
import { RenameDialog } from './dialogs/RenameDialog';
import { ShareDialog } from './dialogs/ShareDialog';

/** A dialog that is open, and what it is about. */
export interface Asked {
  what: 'share' | 'rename' | 'copy' | 'move' | 'delete' | 'folder';
  entries: Entry[];
}

/** The dialog of what was asked for. */
export function Dialogs(p: { asked: Asked; bucket: string; folder: string; versioned: boolean | undefined; onClose: () => void; changed: () => void }) {
  const { asked, bucket, folder, versioned, onClose, changed } = p;
  const common = { bucket, onClose, changed };
  const [first] = asked.entries;
  switch (asked.what) {
    case 'folder':
      return <FolderDialog {...common} folder={folder} />;
    case 'delete':
      return <DeleteDialog {...common} versioned={versioned} entries={asked.entries} />;
    case 'copy':
    case 'move':
      return <CopyDialog bucket={bucket} onClose={onClose} folder={folder} entries={asked.entries} move={asked.what === 'move'} />;
    case 'rename':
      return <RenameDialog {...common} entry={first!} />;
    case 'share':
      return <ShareDialog bucket={bucket} objectKey={first!.key} onClose={onClose} />;
  }
}
