/** Tells once when an element comes near the visible part of the window. */
import type { Attachment } from 'svelte/attachments';

const AHEAD = '400px 0px';
const waiting = new WeakMap<Element, () => void>();
let observer: IntersectionObserver | null = null;

function shared(): IntersectionObserver {
  observer ??= new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        const tell = waiting.get(entry.target);
        waiting.delete(entry.target);
        observer?.unobserve(entry.target);
        tell?.();
      }
    },
    { rootMargin: AHEAD },
  );
  return observer;
}

export function nearViewport(tell: () => void): Attachment {
  return (element) => {
    waiting.set(element, tell);
    shared().observe(element);
    return () => {
      waiting.delete(element);
      shared().unobserve(element);
    };
  };
}

/** The element that scrolls `element` up and down. */
export function scrollerOf(element: Element): Element {
  for (let parent = element.parentElement; parent; parent = parent.parentElement) {
    const { overflowY } = getComputedStyle(parent);
    if (overflowY === 'auto' || overflowY === 'scroll') return parent;
  }
  return document.documentElement;
}

/**
 * Runs a change of an element's height so that what is read below it stays where it is. Needed
 * where the engine does not anchor scrolling by itself (WebKit).
 */
export function keepPlace(element: Element, change: () => void): void {
  if (CSS.supports('overflow-anchor', 'auto')) {
    change();
    return;
  }
  const scroller = scrollerOf(element);
  const before = element.getBoundingClientRect();
  change();
  const above = before.bottom <= scroller.getBoundingClientRect().top;
  if (above) scroller.scrollTop += element.getBoundingClientRect().height - before.height;
}
