import type { Message } from './message';

export const accountEn = {
  'admin.accounts': 'Accounts',
  'account.about': 'Whom users and buckets belong to. Who is of one account gets at the buckets of another only where both sides allow it.',
  'account.new': 'Create account',
  'account.made': 'The account is there',
  'account.deployment': 'The deployment',
  'account.this': 'administers the server',
  'account.root': 'Root user',
  'account.root.hint': 'A new user, who may do everything in the account. Empty for one of the same name.',
  'account.id': 'Account id',
  'account.id.hint': '12 digits. The server makes one when it is empty.',
  'account.delete': 'Delete account',
  'account.delete.text': 'The root user {root} goes with it. An account that still has users, groups or buckets is not deleted.',
} as const satisfies Record<string, Message>;
