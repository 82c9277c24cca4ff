/** Steps in words. */
import type { Step, StepKind, StepStatus, TestOutcome } from '$lib/bindings';
import * as m from '$paraglide/messages';

export function kindWords(kind: StepKind): string {
  switch (kind) {
    case 'file_read':
      return m.step_file_read();
    case 'edit':
      return m.step_edit();
    case 'write':
      return m.step_write();
    case 'terminal':
      return m.step_terminal();
    case 'glob':
      return m.step_glob();
    case 'grep':
      return m.step_grep();
    case 'message':
      return m.step_message();
    case 'tool':
      return m.step_tool();
  }
}

/** How a step ended, where that is worth a word; null for a good end. */
export function statusWords(status: StepStatus, exitCode: number | null): string | null {
  switch (status) {
    case 'ok':
      return null;
    case 'tool_error':
      return m.status_tool_error();
    case 'command_failed':
      return exitCode === null ? m.status_command_failed() : m.status_exit_code({ code: exitCode });
    case 'timed_out':
      return m.status_timed_out();
    case 'cancelled':
      return m.status_cancelled();
    case 'refused':
      return m.status_refused();
  }
}

export function testWords(outcome: TestOutcome): string {
  switch (outcome) {
    case 'passed':
      return m.test_passed();
    case 'failed':
      return m.test_failed();
    case 'timed_out':
      return m.test_timed_out();
    case 'cancelled':
      return m.test_cancelled();
  }
}

/** The first line of a step's target. */
export function targetLine(step: Pick<Step, 'target' | 'tool'>): string {
  return step.target.split('\n')[0] ?? '';
}

/** A step in one line, for lists and screen readers. */
export function stepLine(step: Step): string {
  const what = step.kind === 'tool' ? step.tool : kindWords(step.kind);
  const target = targetLine(step);
  return target === '' ? what : `${what} ${target}`;
}
