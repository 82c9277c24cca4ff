/**
 * One tooltip for the whole window.
 *
 * A timeline has hundreds of triggers; each of them costs two listeners here instead of a component
 * of its own. The layer is mounted when the first tooltip is shown.
 */
import { mount } from 'svelte';
import type { Attachment } from 'svelte/attachments';
import TooltipLayer from './TooltipLayer.svelte';
import type { Tooltip, TooltipContent } from './tooltip_content';

const DELAY_MS = 500;
/** The pointer may cross the gap to the tooltip, or to the next trigger. */
const GRACE_MS = 120;
const ID = 'espalier-tooltip';

class TooltipModel implements Tooltip {
  readonly id = ID;
  content = $state.raw<TooltipContent | null>(null);
  trigger = $state.raw<Element | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #mounted = false;

  ask(trigger: Element, content: () => TooltipContent | null, delay: number): void {
    clearTimeout(this.#timer);
    const wait = this.trigger ? 0 : delay;
    this.#timer = setTimeout(() => {
      const shown = content();
      if (!shown || shown.text === '' || !trigger.isConnected) return;
      this.#mount();
      this.hide();
      this.content = shown;
      this.trigger = trigger;
      if (shown.describes) trigger.setAttribute('aria-describedby', ID);
    }, wait);
  }

  leave(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.hide();
    }, GRACE_MS);
  }

  /** Keeps it while the pointer is on the tooltip itself. */
  stay(): void {
    clearTimeout(this.#timer);
  }

  hide(): void {
    clearTimeout(this.#timer);
    if (this.trigger?.getAttribute('aria-describedby') === ID) {
      this.trigger.removeAttribute('aria-describedby');
    }
    this.trigger = null;
    this.content = null;
  }

  #mount(): void {
    if (this.#mounted) return;
    this.#mounted = true;
    mount(TooltipLayer, { target: document.body, props: { tooltip: this } });
  }
}

const model = new TooltipModel();

/** Shows a tooltip at the element it is attached to. */
export function tooltip(content: () => TooltipContent | null): Attachment {
  return (element) => {
    const enter = (event: Event) => {
      if ('pointerType' in event && event.pointerType === 'touch') return;
      model.ask(element, content, DELAY_MS);
    };
    const focus = () => {
      if (element.matches(':focus-visible')) model.ask(element, content, DELAY_MS);
    };
    const leave = () => {
      model.leave();
    };
    const hide = () => {
      model.hide();
    };
    element.addEventListener('pointerenter', enter);
    element.addEventListener('pointerleave', leave);
    element.addEventListener('pointerdown', hide);
    element.addEventListener('focus', focus);
    element.addEventListener('blur', leave);
    return () => {
      element.removeEventListener('pointerenter', enter);
      element.removeEventListener('pointerleave', leave);
      element.removeEventListener('pointerdown', hide);
      element.removeEventListener('focus', focus);
      element.removeEventListener('blur', leave);
      if (model.trigger === element) model.hide();
    };
  };
}
