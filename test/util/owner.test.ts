import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import {
  hostIn,
  isDead,
  liveness,
  ownerName,
  parseOwner,
  shownOwner,
  thisProcess,
} from '../../src/util/owner.js';

test('a process is alive here, and dead once its id is of another or of none', () => {
  const own = thisProcess();
  expect(parseOwner(ownerName(process.pid))).toEqual(own);
  expect(liveness(own)).toBe('alive');
  expect(liveness({ ...own, start: own.start! - 1 })).toBe('dead');
  expect(liveness({ ...own, pid: 999_999_999 })).toBe('dead');
});

test('of a process in a container that counts its own, nothing is known, though the host has the same name', () => {
  const elsewhere = hostIn('pid:[4026532211]');
  expect(elsewhere).toBe(`${hostname()}#4026532211`);
  expect(liveness({ host: elsewhere, pid: 999_999_999, start: 1 })).toBe('unknown');
  expect(isDead(`999999999.1@${elsewhere}`)).toBe(false);
  expect(shownOwner(`7.1@${elsewhere}`)).toBe(`7@${hostname()}`);
});

test('without containers a host is called by its name', () => {
  expect(hostIn('pid:[4026531836]')).toBe(hostname());
  expect(hostIn(undefined)).toBe(hostname());
});
