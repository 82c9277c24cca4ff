/** What the basic components have in common. */
import type { Component } from 'svelte';
import type { LucideProps } from '@lucide/svelte';

export type Icon = Component<LucideProps>;

/** What a message, badge or button is about. */
export type Tone = 'info' | 'success' | 'warning' | 'danger';

export type Size = 'sm' | 'md' | 'lg';
