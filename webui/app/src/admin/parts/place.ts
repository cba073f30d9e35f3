// Addresses of the administration pages. Names stand in them encoded, whatever is in them.
import { useLocation } from 'wouter';

/** Builds an address inside the console. */
export const pathTo = (...segments: string[]) => '/' + segments.map(encodeURIComponent).join('/');

/** The segment of an address ("/users/a%2Fb" has "users" and "a/b"); '' when there is none. */
export function segmentOf(address: string, index: number): string {
  const s = address.replace(/^#?\/?/, '').split('?')[0]!.split('/')[index] ?? '';
  try {
    return decodeURIComponent(s);
  } catch {
    return s;
  }
}

/** The segment of the page's own address. The router's parameters are decoded once too often for names with "%". */
export function useSegment(index: number): string {
  useLocation();
  return segmentOf(window.location.hash, index);
}
