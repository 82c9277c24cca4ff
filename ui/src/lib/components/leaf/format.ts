/** Figures as people read them, in the language of the window. */
import { getLocale } from '$paraglide/runtime';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** "340ms", "4.2s", "2m 5s", "1h 12m" in English. */
export function duration(ms: number): string {
  const unit = (value: number, name: string, digits = 0) =>
    new Intl.NumberFormat(getLocale(), {
      style: 'unit',
      unit: name,
      unitDisplay: 'narrow',
      maximumFractionDigits: digits,
    }).format(value);
  if (ms < SECOND) return unit(Math.round(ms), 'millisecond');
  if (ms < 10 * SECOND) return unit(ms / SECOND, 'second', 1);
  if (ms < MINUTE) return unit(Math.round(ms / SECOND), 'second');
  if (ms < HOUR) {
    const seconds = Math.round(ms / SECOND);
    return `${unit(Math.floor(seconds / 60), 'minute')} ${unit(seconds % 60, 'second')}`;
  }
  const minutes = Math.round(ms / MINUTE);
  return `${unit(Math.floor(minutes / 60), 'hour')} ${unit(minutes % 60, 'minute')}`;
}

/** "840", "12.3K" (English), "1.2만" (Korean). */
export function compact(count: number): string {
  return new Intl.NumberFormat(getLocale(), {
    notation: 'compact',
    maximumFractionDigits: 1,
  }).format(count);
}

export function exact(count: number): string {
  return new Intl.NumberFormat(getLocale()).format(count);
}
