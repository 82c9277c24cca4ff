import { describe, expect, it } from 'vitest';
import { AnsiText, PLAIN } from './ansi';

const E = '\u001b[';

function folded(...pieces: string[]): AnsiText {
  const text = new AnsiText();
  for (const piece of pieces) text.write(piece);
  return text;
}

describe('AnsiText', () => {
  it('keeps colours with their text', () => {
    const { lines } = folded(`${E}1;31mfailed${E}0m one\nplain`);
    expect(lines).toEqual([
      [
        { text: 'failed', style: { ...PLAIN, bold: true, fg: 1 } },
        { text: ' one', style: PLAIN },
      ],
      [{ text: 'plain', style: PLAIN }],
    ]);
  });

  it('knows bright, 256 and true colours, in both notations', () => {
    const styles = (text: string) => folded(`${text}x`).lines[0]?.[0]?.style;
    expect(styles(`${E}92m`)?.fg).toBe(10);
    expect(styles(`${E}48;5;141m`)?.bg).toBe(141);
    expect(styles(`${E}38;2;255;140;0m`)?.fg).toBe('#ff8c00');
    expect(styles(`${E}38:2:255:140:0m`)?.fg).toBe('#ff8c00');
    expect(styles(`${E}31;7m${E}39;27m`)).toBe(PLAIN);
  });

  it('writes a line anew after a return, as progress bars do', () => {
    expect(folded('10%\r 50%\r100%\n', 'done').plain).toBe('100%\ndone');
    expect(folded('longer text\rshort').plain).toBe('shortr text');
    expect(folded(`longer text\r${E}Kshort`).plain).toBe('short');
    expect(folded('a\r\nb\r', '\nc').plain).toBe('a\nb\nc');
  });

  it('hides titles and links and shows their text', () => {
    expect(
      folded(`\u001b]0;title\u0007\u001b]8;;https://a\u001b\\link\u001b]8;;\u001b\\!`).plain,
    ).toBe('link!');
  });

  it('reads the same, however the text is cut into pieces', () => {
    const text = `a${E}38;2;1;2;3mred${E}0m\r\n\u001b]0;t\u0007${E}1mb\tc${E}22m\rd${E}2Ke\u001b(Bf\n`;
    const whole = folded(text).lines;
    for (let cut = 0; cut <= text.length; cut += 1) {
      expect(folded(text.slice(0, cut), text.slice(cut)).lines).toEqual(whole);
    }
    expect(folded(...Array.from(text)).lines).toEqual(whole);
  });

  it('leaves lines that are over as they are', () => {
    const text = folded('one\ntwo');
    const [first] = text.lines;
    text.write(' more\nthree');
    expect(text.lines[0]).toBe(first);
  });

  it('tells what needs a real terminal', () => {
    expect(folded(`${E}31mred${E}0m${E}K${E}?25l\r`).needsScreen).toBe(false);
    expect(folded(`${E}2J`).needsScreen).toBe(true);
    expect(folded(`${E}1A`).needsScreen).toBe(true);
    expect(folded(`${E}?1049h`).needsScreen).toBe(true);
  });
});
