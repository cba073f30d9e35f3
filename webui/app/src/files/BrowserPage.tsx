import { Box, Button, Center, Group, Loader, Skeleton, Stack, Text, VisuallyHidden } from '@mantine/core';
import { IconCloudUpload, IconFolderOff, IconSearchOff } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from 'react';
import { useLocation } from 'wouter';
import { ApiError } from '../api/http';
import { getVersioning, listObjects, listVersions, type Entry } from '../api/s3';
import { parentPrefix } from '../api/s3url';
import { useT } from '../i18n';
import { EmptyState } from '../ui/EmptyState';
import { usePageTitle } from '../ui/Page';
import { Problem } from '../ui/Problem';
import { useReport } from '../ui/report';
import { Dialogs, type Asked } from './Dialogs';
import { downloadAll } from './download';
import { DropZone } from './DropZone';
import { restoreWork } from './jobs';
import { useListing, type Listing, type Load } from './list/listing';
import { ObjectList } from './list/ObjectList';
import { sorted, type Order } from './list/order';
import { useSelection } from './list/selection';
import { PathBar } from './PathBar';
import { folderPath, objectPath, usePlace, type Place } from './place';
import { RowMenu, type Act } from './RowMenu';
import { SelectionBar, Toolbar } from './Toolbar';
import { queue } from './transfer/queue';
import type { Picked } from './transfer/drop';

const ObjectDrawer = lazy(() => import('./detail/ObjectDrawer'));

/** Objects and folders of a bucket. */
export default function BrowserPage() {
  const place = usePlace();
  return <Browser key={place.bucket} place={place} />;
}

function Browser({ place }: { place: Place }) {
  const { bucket, folder, search, object } = place;
  const t = useT();
  const [, go] = useLocation();
  const report = useReport();
  usePageTitle(folder ? `${folder} · ${bucket}` : bucket);
  const [deleted, setDeleted] = useState(false);
  const [order, setOrder] = useState<Order>({ by: 'name', down: false });
  const [asked, setAsked] = useState<Asked>();
  const versioning = useQuery({ queryKey: ['bucket', bucket, 'versioning'], queryFn: ({ signal }) => getVersioning(bucket, signal), retry: false });
  const versioned = versioning.data !== undefined && versioning.data !== '';

  const load = useLoad(bucket, folder + search, folder, deleted);
  const listing = useListing(load);
  const { window: w, error, loading, stalled } = listing.state;
  const scope = `${bucket}/${folder}${search}/${deleted}`;
  const selection = useSelection(scope);
  const entries = useMemo(() => [...selection.entries.values()], [selection.entries]);

  // What fits into one page is sorted as the user likes; of more only the server's order is honest.
  const short = w.complete && w.slots.length === 1 ? w.slots[0]!.entries : undefined;
  const rows = useMemo(() => short && sorted(short, order), [short, order]);
  useEffect(() => queue.watch(bucket, listing.refresh), [bucket, listing]);
  const row = useCallback((n: number) => (rows ? rows[n] : listing.row(n)), [rows, listing]);
  const look = useCallback((from: number, to: number) => listing.look(from, to), [listing]);

  const act = useCallback(
    (a: Act, list: Entry[]) => {
      if (a === 'open') go(openPath(bucket, list[0]!));
      else if (a === 'download') void downloadAll(bucket, folder, list).catch(report);
      else if (a === 'restore') queue.run('restore', bucket, t('files.objects', { n: list.length }), restoreWork(bucket, list));
      else setAsked({ what: a, entries: list });
    },
    [bucket, folder, go, report, t],
  );
  const menu = useCallback((e: Entry) => <RowMenu entry={e} act={(a, entry) => act(a, [entry])} />, [act]);
  const changed = useCallback(() => {
    selection.clear();
    listing.refresh();
  }, [selection, listing]);
  const upload = (list: Picked[]) =>
    queue.upload(bucket, list.map(({ path, file }) => ({ key: folder + path, file })), versioned);

  const missing = w.slots.length === 0 && error instanceof ApiError && error.status === 404;
  const empty = w.complete && w.total === 0 && error === undefined;
  return (
    <DropZone onDrop={missing ? () => report(error) : upload} onError={report} label={t('files.drop', { place: `${bucket}/${folder}` })}>
      <Stack gap="sm" px={{ base: 'md', sm: 'xl' }} pt={{ base: 'md', sm: 'lg' }} pb="sm">
        <VisuallyHidden component="h1">{`${bucket}/${folder}`}</VisuallyHidden>
        <PathBar bucket={bucket} folder={folder} />
        {entries.length > 0 ? (
          <SelectionBar entries={entries} act={(a) => act(a, entries)} onClear={selection.clear} />
        ) : missing ? null : (
          <Toolbar
            bucket={bucket} search={search} versioned={versioned} deleted={deleted} loading={loading && w.total > 0}
            onSearch={(s) => go(folderPath(bucket, folder + s), { replace: true })} onDeleted={setDeleted} onRefresh={listing.refresh}
            onFolder={() => setAsked({ what: 'folder', entries: [] })} onUpload={upload}
          />
        )}
      </Stack>
      {empty ? (
        <Empty search={search} deleted={deleted} folder={folder} />
      ) : w.slots.length === 0 && error === undefined ? (
        <Waiting />
      ) : w.slots.length === 0 ? (
        <Box px={{ base: 'md', sm: 'xl' }}>
          <Problem error={error} retry={listing.more} />
        </Box>
      ) : (
        <ObjectList
          label={t('files.list', { place: `${bucket}/${folder}` })} total={w.total} complete={w.complete} row={row} look={look} cut={folder.length} scope={scope}
          selection={selection} known={() => rows ?? w.slots.flatMap((s) => s.entries ?? [])} order={rows ? order : undefined} onOrder={rows ? setOrder : undefined}
          href={(e) => openPath(bucket, e)} onOpen={(e) => go(openPath(bucket, e))} onUp={() => go(folder === '' ? '/buckets' : folderPath(bucket, parentPrefix(folder)))}
          onDelete={() => entries.length > 0 && act('delete', entries)} onRename={(e) => e.kind !== 'marker' && act('rename', [e])} menu={menu}
          footer={<Footer listing={listing} stalled={stalled} error={error} loading={loading} />}
        />
      )}
      <Status total={w.total} complete={w.complete} />
      {asked && <Dialogs asked={asked} bucket={bucket} folder={folder} versioned={versioning.data === undefined ? undefined : versioned} onClose={() => setAsked(undefined)} changed={changed} />}
      {object !== undefined && (
        <Suspense>
          <ObjectDrawer key={object} bucket={bucket} objectKey={object} versioned={versioned} onClose={() => go(folderPath(bucket, folder))} changed={listing.refresh} onAct={(a, e) => act(a, [e])} />
        </Suspense>
      )}
    </DropZone>
  );
}

const openPath = (bucket: string, e: Entry) => (e.kind === 'prefix' ? folderPath(bucket, e.key) : objectPath(bucket, e.key));

// useLoad asks for the pages of a folder, or of what was deleted in it. A folder's own entry isn't one of it.
function useLoad(bucket: string, prefix: string, folder: string, deleted: boolean): Load {
  return useCallback<Load>(
    async (cursor, signal) => {
      const options = { delimiter: '/', signal, ...(cursor && { cursor }) };
      const page = await (deleted ? listVersions : listObjects)(bucket, prefix, options);
      const wanted = (e: Entry) => e.key !== folder && (!deleted || e.kind === 'prefix' || (e.kind === 'marker' && e.latest === true));
      return { ...page, entries: page.entries.filter(wanted) };
    },
    [bucket, prefix, folder, deleted],
  );
}

function Empty({ search, deleted, folder }: { search: string; deleted: boolean; folder: string }) {
  const t = useT();
  if (search !== '') return <EmptyState icon={IconSearchOff} title={t('files.none.search')} text={t('files.none.search.text', { search })} />;
  if (deleted) return <EmptyState icon={IconFolderOff} title={t('files.none.deleted')} text={t('files.none.deleted.text')} />;
  return <EmptyState icon={IconCloudUpload} title={t(folder ? 'files.none.folder' : 'files.none.bucket')} text={t('files.none.text')} />;
}

function Waiting() {
  return (
    <Stack gap={14} px={{ base: 'md', sm: 'xl' }} pt={52} aria-hidden>
      {Array.from({ length: 8 }, (_, i) => (
        <Skeleton key={i} height={14} width={`${62 - ((i * 17) % 30)}%`} />
      ))}
    </Stack>
  );
}

function Footer({ listing, stalled, error, loading }: { listing: Listing; stalled: boolean; error: unknown; loading: boolean }) {
  const t = useT();
  if (error !== undefined) {
    return (
      <Box p="md">
        <Problem error={error} retry={listing.more} />
      </Box>
    );
  }
  if (stalled) {
    return (
      <Center p="md">
        <Button variant="default" onClick={listing.more}>
          {t('files.stalled')}
        </Button>
      </Center>
    );
  }
  return loading && !listing.state.window.complete ? (
    <Center p="xs" aria-hidden>
      <Loader size="xs" />
    </Center>
  ) : null;
}

function Status({ total, complete }: { total: number; complete: boolean }) {
  const t = useT();
  return (
    <Group px={{ base: 'md', sm: 'xl' }} h={30} justify="space-between" style={{ borderTop: '1px solid var(--app-line)', flex: 'none' }} bg="var(--app-side)">
      <Text size="xs" c="dimmed" role="status">
        {total === 0 ? '' : complete ? t('files.count', { n: total }) : t('files.count.more', { n: total })}
      </Text>
      <Text size="xs" c="dimmed" visibleFrom="sm">
        {t('files.keys')}
      </Text>
    </Group>
  );
}
