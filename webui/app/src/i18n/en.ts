import { accountEn } from './account.en';
import { adminEn } from './admin.en';
import { bucketEn } from './bucket.en';
import { commonEn } from './common.en';
import { enckeyEn } from './enckey.en';
import { eventsEn } from './events.en';
import { filesEn } from './files.en';
import { lifecycleEn } from './lifecycle.en';
import { migrationEn } from './migration.en';
import { ownershipEn } from './ownership.en';

export const en = { ...commonEn, ...filesEn, ...bucketEn, ...lifecycleEn, ...eventsEn, ...ownershipEn, ...migrationEn, ...accountEn, ...enckeyEn, ...adminEn };
