import { adminZh } from './admin.zh';
import { bucketZh } from './bucket.zh';
import { commonZh } from './common.zh';
import { filesZh } from './files.zh';

export const zh = { ...commonZh, ...filesZh, ...bucketZh, ...adminZh };
