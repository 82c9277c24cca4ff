/** A picture for each kind of step. */
import FilePen from '@lucide/svelte/icons/file-pen';
import FilePlus from '@lucide/svelte/icons/file-plus';
import FileText from '@lucide/svelte/icons/file-text';
import FolderSearch from '@lucide/svelte/icons/folder-search';
import MessageSquare from '@lucide/svelte/icons/message-square';
import Search from '@lucide/svelte/icons/search';
import Terminal from '@lucide/svelte/icons/terminal';
import Wrench from '@lucide/svelte/icons/wrench';
import type { StepKind } from '$lib/bindings';
import type { Icon } from '$lib/components/ui/types';

export const KIND_ICONS: Readonly<Record<StepKind, Icon>> = {
  file_read: FileText,
  edit: FilePen,
  write: FilePlus,
  terminal: Terminal,
  glob: FolderSearch,
  grep: Search,
  message: MessageSquare,
  tool: Wrench,
};
