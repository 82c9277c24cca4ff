/** Figures and times in words. */
import * as m from '$paraglide/messages';
import { getLocale } from '$paraglide/runtime';

/** Milliseconds as a person says them: 420 ms, 3.2 s, 4 m 05 s, 1 h 02 m. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  const two = (n: number): string => String(n).padStart(2, '0');
  if (minutes < 60) return `${minutes} m ${two(Math.floor(seconds % 60))} s`;
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} m`;
}

/** A running clock: 0:07, 12:31, 1:02:09. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number): string => String(n).padStart(2, '0');
  const [h, min, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${h}:${two(min)}:${two(s)}` : `${min}:${two(s)}`;
}

/** The time of day, with seconds: digits only, so that a column of them lines up. */
export function timeOfDay(at: number): string {
  const date = new Date(at);
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}

export function dateAndTime(at: number): string {
  return new Date(at).toLocaleString(getLocale(), { dateStyle: 'medium', timeStyle: 'short' });
}

/** A count of tokens: 812, 1.4k, 23k, 1.2M. */
export function tokens(count: number): string {
  if (count < 1000) return String(count);
  if (count < 10_000) return `${(count / 1000).toFixed(1)}k`;
  if (count < 1_000_000) return `${Math.round(count / 1000)}k`;
  return `${(count / 1_000_000).toFixed(1)}M`;
}

/** Millionths of a US dollar as money: $0.0042, $0.31, $12.60. */
export function money(microUsd: number): string {
  const usd = microUsd / 1_000_000;
  return new Intl.NumberFormat(getLocale(), {
    style: 'currency',
    currency: 'USD',
    minimumFractionDigits: 2,
    maximumFractionDigits: usd < 0.1 ? 4 : 2,
  }).format(usd);
}

export function bytes(count: number): string {
  if (count < 1024) return `${count} B`;
  if (count < 1024 * 1024) return `${(count / 1024).toFixed(1)} KB`;
  return `${(count / (1024 * 1024)).toFixed(1)} MB`;
}

/** How long ago, roughly: "just now", "5 min ago", "2 days ago". */
export function ago(at: number, now: number): string {
  const minutes = Math.round((now - at) / 60_000);
  if (minutes < 1) return m.time_just_now();
  const words = new Intl.RelativeTimeFormat(getLocale(), { style: 'short', numeric: 'auto' });
  if (minutes < 60) return words.format(-minutes, 'minute');
  const hours = Math.round(minutes / 60);
  if (hours < 24) return words.format(-hours, 'hour');
  const days = Math.round(hours / 24);
  return days < 30 ? words.format(-days, 'day') : dateAndTime(at);
}

/** A path without the folders that do not fit, from its end. */
export function tail(path: string, parts = 3): string {
  const all = path.split(/[\\/]/).filter(Boolean);
  return all.length <= parts ? path : `…/${all.slice(-parts).join('/')}`;
}

export function fileName(path: string): string {
  return path.split(/[\\/]/).filter(Boolean).at(-1) ?? path;
}
