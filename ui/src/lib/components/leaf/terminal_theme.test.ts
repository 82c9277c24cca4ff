import { describe, expect, it } from 'vitest';
import { contrast, READABLE } from '$lib/components/ui/contrast';
import { PLAIN } from './ansi';
import { cssOf, PALETTES } from './terminal_theme';

describe.each(['dark', 'light'] as const)('%s terminal', (name) => {
  const palette = PALETTES[name];

  it('has colours that can be read', () => {
    for (const colour of [palette.foreground, palette.faint, ...palette.ansi]) {
      expect(contrast(colour, palette.background)).toBeGreaterThanOrEqual(READABLE);
    }
  });

  it('makes readable what a command chose badly', () => {
    for (let fg = 0; fg < 256; fg += 5) {
      for (const bg of [null, 0, 1, 7, 15, 226]) {
        const style = cssOf({ ...PLAIN, fg, bg }, palette);
        const text = /(?:^|;)color:(#\w{6})/u.exec(style)?.[1] ?? '';
        const ground = /background:(#\w{6})/u.exec(style)?.[1] ?? palette.background;
        expect(contrast(text, ground)).toBeGreaterThanOrEqual(READABLE);
      }
    }
  });
});
