/** Which answers the configuration asks for and are not there yet. */
import type { AnnotationTarget, SchemeSettings } from '$lib/bindings';
import { targetKey, type SessionTree } from './tree';

export interface Missing {
  readonly scheme: SchemeSettings;
  /** What has no answer yet, in order. */
  readonly targets: readonly AnnotationTarget[];
}

type Source = Pick<SessionTree, 'branches' | 'steps' | 'answers' | 'comparisons'>;

/** Required schemes without all their answers. Tails that were left behind are not asked about;
 * comparing is asked for where there are two branches to compare. */
export function missingAnswers(tree: Source, schemes: readonly SchemeSettings[]): Missing[] {
  return schemes
    .filter((scheme) => scheme.required)
    .map((scheme) => ({ scheme, targets: unanswered(tree, scheme) }))
    .filter((missing) => missing.targets.length > 0);
}

function unanswered(tree: Source, scheme: SchemeSettings): AnnotationTarget[] {
  return targets(tree, scheme).filter(
    (target) => !tree.answers.get(targetKey(target))?.has(scheme.name),
  );
}

function targets(tree: Source, scheme: SchemeSettings): AnnotationTarget[] {
  const branches = tree.branches.filter((branch) => branch.kind !== 'abandoned');
  switch (scheme.target) {
    case 'session':
      return [{ target: 'session' }];
    case 'branch':
      return branches.map((branch) => ({ target: 'branch', branch: branch.id }));
    case 'step':
      return branches.flatMap((branch) =>
        branch.items.flatMap((item): AnnotationTarget[] =>
          item.kind === 'step' && tree.steps.get(item.step)?.result
            ? [{ target: 'step', step: item.step }]
            : [],
        ),
      );
    case 'comparison': {
      const answered = tree.comparisons.some(([a, b]) =>
        tree.answers.get(targetKey({ target: 'comparison', a, b }))?.has(scheme.name),
      );
      const [a, b] = branches.slice(-2);
      return !a || !b || answered ? [] : [{ target: 'comparison', a: a.id, b: b.id }];
    }
  }
}
