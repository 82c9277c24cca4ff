/** What model messages cost together, and how full the model's window is. */
import type { ContextFill, Place, Usage } from '$lib/bindings';
import { pathStepIds } from './path';
import type { SessionTree } from './tree';

function sum(a: number | null | undefined, b: number | null | undefined): number | null {
  return a == null && b == null ? null : (a ?? 0) + (b ?? 0);
}

/** Of two messages. A cost that is not known counts as none. */
export function plus(a: Usage, b: Usage): Usage {
  return {
    input_tokens: a.input_tokens + b.input_tokens,
    output_tokens: a.output_tokens + b.output_tokens,
    cached_tokens: a.cached_tokens + b.cached_tokens,
    cache_write_tokens: (a.cache_write_tokens ?? 0) + (b.cache_write_tokens ?? 0),
    cost_micro_usd: sum(a.cost_micro_usd, b.cost_micro_usd),
  };
}

/** The window's fill after the last message on a place's path. */
export function contextAt(
  tree: Pick<SessionTree, 'branches' | 'steps' | 'messages'>,
  place: Place,
): ContextFill | null {
  for (const id of pathStepIds(tree, place).reverse()) {
    const message = tree.steps.get(id)?.message_id;
    const fill = message === undefined ? null : tree.messages.get(message)?.usage.context;
    if (fill) return fill;
  }
  return null;
}
