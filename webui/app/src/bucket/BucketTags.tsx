import { Tags } from '../files/detail/Tags';
import { SectionHead, type SectionProps } from './Section';

/** Tags of the bucket. */
export function BucketTags({ bucket }: SectionProps) {
  return (
    <>
      <SectionHead title="detail.tags" hint="tags.bucket.hint" />
      <Tags bucket={bucket} objectKey="" />
    </>
  );
}
