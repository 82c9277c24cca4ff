import { expect, it } from 'vitest';
import { timeLeft } from './time_left';

it('goes by what was done so far', () => {
  expect(timeLeft(10_000, 25, 100)).toBe(30_000);
  expect(timeLeft(10_000, 100, 100)).toBe(0);
});

it('says nothing where nothing can be known', () => {
  expect(timeLeft(10_000, 25, null)).toBeNull();
  expect(timeLeft(10_000, 0, 100)).toBeNull();
  expect(timeLeft(100, 50, 100)).toBeNull();
});
