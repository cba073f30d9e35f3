import { accountDe } from './account.de';
import { adminDe } from './admin.de';
import { bucketDe } from './bucket.de';
import { commonDe } from './common.de';
import { enckeyDe } from './enckey.de';
import { eventsDe } from './events.de';
import { filesDe } from './files.de';
import { lifecycleDe } from './lifecycle.de';
import { migrationDe } from './migration.de';
import { ownershipDe } from './ownership.de';

export const de = { ...commonDe, ...filesDe, ...bucketDe, ...lifecycleDe, ...eventsDe, ...ownershipDe, ...migrationDe, ...accountDe, ...enckeyDe, ...adminDe };
