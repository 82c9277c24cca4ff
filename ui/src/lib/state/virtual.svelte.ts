/**
 * A long list of which only the rows in sight are in the page, with measured heights.
 *
 * While it follows, the end stays in sight whatever grows; a person who scrolls up is left alone.
 * Rows lie in the normal flow within one shifted box, so a row that grows never covers the next.
 */
import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
  type VirtualItem,
  type VirtualizerOptions,
} from '@tanstack/virtual-core';
import type { Attachment } from 'svelte/attachments';

export interface RowSource {
  readonly count: number;
  key(index: number): string;
  /** Height in pixels before the row was measured. */
  estimate(index: number): number;
}

/** Pixels from the end within which the list counts as being at its end. */
const AT_END = 32;
const OVERSCAN = 6;
/** Pixels below the last row. */
const END = 24;

const NOTHING: RowSource = { count: 0, key: String, estimate: () => 0 };

export class VirtualRows {
  items = $state.raw<readonly VirtualItem[]>([]);
  total = $state(0);
  /** Whether the end is kept in sight. */
  following = $state(true);

  readonly #virtualizer: Virtualizer<HTMLElement, HTMLElement>;
  #source: RowSource = NOTHING;
  #element: HTMLElement | null = null;
  #lastTop = 0;

  constructor() {
    this.#virtualizer = new Virtualizer(this.#options());
  }

  #options(): VirtualizerOptions<HTMLElement, HTMLElement> {
    const source = this.#source;
    return {
      count: source.count,
      getItemKey: (index) => source.key(index),
      estimateSize: (index) => source.estimate(index),
      getScrollElement: () => this.#element,
      observeElementRect,
      observeElementOffset,
      scrollToFn: elementScroll,
      overscan: OVERSCAN,
      paddingEnd: END,
      onChange: () => {
        this.#publish();
      },
    };
  }

  #publish(): void {
    this.items = this.#virtualizer.getVirtualItems();
    this.total = this.#virtualizer.getTotalSize();
  }

  /** Takes other rows. */
  update(source: RowSource): void {
    this.#source = source;
    this.#virtualizer.setOptions(this.#options());
    this.#virtualizer._willUpdate();
    this.#publish();
  }

  /** The box that scrolls. */
  readonly scroller: Attachment<HTMLElement> = (element) => {
    this.#element = element;
    const unmount = this.#virtualizer._didMount();
    this.#virtualizer._willUpdate();
    this.#publish();
    const onscroll = (): void => {
      this.#scrolled(element);
    };
    element.addEventListener('scroll', onscroll, { passive: true });
    const resized = new ResizeObserver(() => {
      this.pin();
    });
    resized.observe(element);
    return () => {
      resized.disconnect();
      element.removeEventListener('scroll', onscroll);
      unmount();
      this.#element = null;
    };
  };

  #scrolled(element: HTMLElement): void {
    const top = element.scrollTop;
    const distance = element.scrollHeight - element.clientHeight - top;
    if (distance <= AT_END) this.following = true;
    // Only a person moves the list up; what grows at the end leaves the top where it is.
    else if (top < this.#lastTop - 1) this.following = false;
    this.#lastTop = top;
  }

  /** A row; it is measured whenever its size changes. */
  readonly row: Attachment<HTMLElement> = (element) => {
    this.#virtualizer.measureElement(element);
    return () => {
      queueMicrotask(() => {
        this.#virtualizer.measureElement(null);
      });
    };
  };

  /** Brings the end into sight if the list follows. To be called after every change. */
  pin(): void {
    const element = this.#element;
    if (!element || !this.following) return;
    const end = element.scrollHeight - element.clientHeight;
    if (end - element.scrollTop > 0.5) element.scrollTop = end;
    this.#lastTop = element.scrollTop;
  }

  /** Goes to the end and stays there. */
  follow(): void {
    this.following = true;
    if (this.#source.count > 0) {
      this.#virtualizer.scrollToIndex(this.#source.count - 1, { align: 'end' });
    }
    this.pin();
  }

  /** Brings a row into sight; a row that is in sight stays where it is. */
  reveal(index: number, align: 'auto' | 'center' | 'start' = 'auto'): void {
    if (index < 0 || index >= this.#source.count) return;
    const target = this.#virtualizer.getOffsetForIndex(index, align)?.[0];
    const top = this.#element?.scrollTop ?? 0;
    if (target !== undefined && Math.abs(target - top) < 1) return;
    this.following = false;
    this.#virtualizer.scrollToIndex(index, { align });
  }
}
