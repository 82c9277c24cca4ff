/** What a tooltip shows, and what its layer may ask of it. */
export interface TooltipContent {
  readonly text: string;
  /** Shown after the text, one key each. */
  readonly keys?: readonly string[];
  /** Says more than the trigger's own name, so that screen readers should hear it too. */
  readonly describes?: boolean;
}

export interface Tooltip {
  readonly id: string;
  readonly content: TooltipContent | null;
  readonly trigger: Element | null;
  /** Keeps it while the pointer is on the tooltip itself. */
  stay(): void;
  leave(): void;
  hide(): void;
}
