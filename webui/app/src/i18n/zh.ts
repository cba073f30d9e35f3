import { accountZh } from './account.zh';
import { adminZh } from './admin.zh';
import { bucketZh } from './bucket.zh';
import { commonZh } from './common.zh';
import { enckeyZh } from './enckey.zh';
import { eventsZh } from './events.zh';
import { filesZh } from './files.zh';
import { lifecycleZh } from './lifecycle.zh';
import { migrationZh } from './migration.zh';
import { ownershipZh } from './ownership.zh';

export const zh = { ...commonZh, ...filesZh, ...bucketZh, ...lifecycleZh, ...eventsZh, ...ownershipZh, ...migrationZh, ...accountZh, ...enckeyZh, ...adminZh };
