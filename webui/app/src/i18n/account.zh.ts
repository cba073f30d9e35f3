import type { accountEn } from './account.en';
import type { Translation } from './message';

export const accountZh: Translation<typeof accountEn> = {
  'admin.accounts': '账户',
  'account.about': '用户和存储桶的归属。一个账户的用户只有在双方都允许时才能访问另一账户的存储桶。',
  'account.new': '创建账户',
  'account.made': '账户已创建',
  'account.deployment': '部署',
  'account.this': '管理服务器',
  'account.root': '根用户',
  'account.root.hint': '一个新用户，在该账户内拥有全部权限。留空则使用相同名称。',
  'account.id': '账户 ID',
  'account.id.hint': '12 位数字。留空则由服务器生成。',
  'account.delete': '删除账户',
  'account.delete.text': '根用户 {root} 将一并删除。仍有用户、组或存储桶的账户不会被删除。',
};
