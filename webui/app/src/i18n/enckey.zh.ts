import type { enckeyEn } from './enckey.en';
import type { Translation } from './message';

export const enckeyZh: Translation<typeof enckeyEn> = {
  'admin.enckeys': '加密密钥',
  'enckey.about': '命名密钥用于封装对象的密钥，其内容从不显示。',
  'enckey.none': '没有密钥。',
  'enckey.new': '创建密钥',
  'enckey.name.hint': '用于 SSE-KMS。策略可按此名称允许或拒绝。',
  'enckey.default': '默认',
  'enckey.outside': '由设置提供',
  'enckey.rotated': '最新版本',
  'enckey.rotate': '轮换',
  'enckey.rotate.text': '密钥将获得新版本，此后用它封装。旧版本封装的内容仍可读取。',
  'enckey.reseal': '重新封装',
  'enckey.reseal.about': '轮换之后：由旧版本封装的对象密钥将用最新版本重新封装。不读写任何内容，可随时停止并重新开始。',
  'enckey.reseal.begin': '开始',
  'enckey.reseal.stop': '停止',
  'enckey.reseal.sum': '已检查 {looked} 项，重新封装 {n} 项。',
  'enckey.reseal.failed': '{n} 项无法打开，保持原样；第一项是 {first}',
};
