import { Stack, Text } from '@mantine/core';
import { useT, type Key } from '../i18n';
import classes from './BucketPage.module.css';

/** What every section of a bucket's settings is about. */
export interface SectionProps {
  bucket: string;
}

/** The head of a section: what it is and what it does. */
export function SectionHead({ title, hint }: { title: Key; hint: Key }) {
  const t = useT();
  return (
    <Stack gap={4} mb="md">
      <h2 className={classes.title}>{t(title)}</h2>
      <Text c="dimmed" size="md">
        {t(hint)}
      </Text>
    </Stack>
  );
}
