// @vitest-environment jsdom
import { MantineProvider } from '@mantine/core';
import { renderToStaticMarkup } from 'react-dom/server';
import { expect, it, vi } from 'vitest';
import Markdown, { outward } from './Markdown';

vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => undefined, removeEventListener: () => undefined }));

const render = (text: string) => {
  const box = document.createElement('div');
  box.innerHTML = renderToStaticMarkup(
    <MantineProvider>
      <Markdown text={text} />
    </MantineProvider>,
  );
  return box;
};

// S-207: stored content never runs on the console's origin.
it('makes no element of what is written as HTML', () => {
  for (const evil of [
    '<script>alert(1)</script>', '<img src=x onerror=alert(1)>', 'a <b onclick=x>b</b>', '<iframe src="javascript:alert(1)"></iframe>', '[x](<javascript:alert(1)>)', '![x](javascript:alert(1))',
    '[x](data:text/html,<script>)', '[x](vbscript:x)', '<a href="javascript:alert(1)">x</a>', '[x](java\nscript:alert(1))', '`<script>`', '| <script> |\n|---|\n| <img src=x onerror=y> |',
  ]) {
    const box = render(evil);
    for (const name of ['script', 'img', 'iframe', 'object', 'embed', 'form', 'base', 'meta']) expect(box.querySelector(name), `${evil}: ${name}`).toBeNull();
    for (const a of box.querySelectorAll('a')) expect(a.protocol, evil).toMatch(/^https?:|^mailto:/);
    for (const e of box.querySelectorAll('*')) for (const attr of e.attributes) expect(attr.name, evil).not.toMatch(/^on/);
  }
});

it('draws what Markdown means', () => {
  const box = render('# Title\n\nA [link](https://example.org/) and **bold**.\n\n- one\n- two\n\n| a |\n|---|\n| 1 |\n');
  expect(box.querySelector('h2')?.textContent).toBe('Title');
  expect(box.querySelector('a')?.getAttribute('rel')).toBe('noopener noreferrer');
  expect(box.querySelector('strong')?.textContent).toBe('bold');
  expect(box.querySelectorAll('li').length).toBe(2);
  expect(box.querySelector('td')?.textContent).toBe('1');
});

it('lets links lead outward only', () => {
  expect(outward('https://example.org/a')).toBe('https://example.org/a');
  for (const bad of ['javascript:alert(1)', ' javascript:x', '/x', '#x', 'x', 'data:x', 'blob:x', 'file:///etc', '//evil']) expect(outward(bad), bad).toBeUndefined();
});

it('draws a task once, beside its box', () => {
  const box = render('- [x] done\n- [ ] open\n');
  expect([...box.querySelectorAll('li')].map((li) => li.textContent)).toEqual(['done', 'open']);
  expect([...box.querySelectorAll('input')].map((i) => i.checked)).toEqual([true, false]);
});
