/** Pictures and words for kinds and outcomes of steps. */
import FilePen from '@lucide/svelte/icons/file-pen-line';
import FilePlus from '@lucide/svelte/icons/file-plus-2';
import FileText from '@lucide/svelte/icons/file-text';
import FolderSearch from '@lucide/svelte/icons/folder-search';
import MessageSquare from '@lucide/svelte/icons/message-square';
import SquareTerminal from '@lucide/svelte/icons/square-terminal';
import TextSearch from '@lucide/svelte/icons/text-search';
import Wrench from '@lucide/svelte/icons/wrench';
import type { StepKind, StepResult, TestOutcome } from '$lib/bindings';
import type { Icon, Tone } from '$lib/components/ui/types';
import * as m from '$paraglide/messages';

export const KIND_ICONS: Readonly<Record<StepKind, Icon>> = {
  file_read: FileText,
  edit: FilePen,
  write: FilePlus,
  terminal: SquareTerminal,
  glob: FolderSearch,
  grep: TextSearch,
  message: MessageSquare,
  tool: Wrench,
};

export function kindWord(kind: StepKind): string {
  switch (kind) {
    case 'file_read':
      return m.leaf_kind_file_read();
    case 'edit':
      return m.leaf_kind_edit();
    case 'write':
      return m.leaf_kind_write();
    case 'terminal':
      return m.leaf_kind_terminal();
    case 'glob':
      return m.leaf_kind_glob();
    case 'grep':
      return m.leaf_kind_grep();
    case 'message':
      return m.leaf_kind_message();
    case 'tool':
      return m.leaf_kind_tool();
  }
}

/** How a step ended, where it did not end well. */
export function troubleWord(result: StepResult): { tone: Tone; text: string } | null {
  switch (result.status) {
    case 'ok':
      return null;
    case 'tool_error':
      return { tone: 'warning', text: m.leaf_status_tool_error() };
    case 'command_failed':
      return { tone: 'danger', text: m.leaf_status_exit({ code: result.exit_code ?? '?' }) };
    case 'timed_out':
      return { tone: 'danger', text: m.leaf_status_timed_out() };
    case 'cancelled':
      return { tone: 'warning', text: m.leaf_status_cancelled() };
    case 'refused':
      return { tone: 'warning', text: m.leaf_status_refused() };
  }
}

export function testWord(test: TestOutcome | null): { tone: Tone | 'neutral'; text: string } {
  switch (test) {
    case 'passed':
      return { tone: 'success', text: m.leaf_test_passed() };
    case 'failed':
      return { tone: 'danger', text: m.leaf_test_failed() };
    case 'timed_out':
      return { tone: 'danger', text: m.leaf_test_timed_out() };
    case 'cancelled':
      return { tone: 'neutral', text: m.leaf_test_cancelled() };
    case null:
      return { tone: 'neutral', text: m.leaf_test_none() };
  }
}
