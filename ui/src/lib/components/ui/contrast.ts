/** Contrast of colours as WCAG 2 defines it. Colours are `#rrggbb`. */

/** What text needs against its background. */
export const READABLE = 4.5;

type Rgb = readonly [number, number, number];

function parts(colour: string): Rgb {
  const at = (index: number) => Number.parseInt(colour.slice(index, index + 2), 16) || 0;
  return [at(1), at(3), at(5)];
}

export function hexOf([red, green, blue]: Rgb): string {
  const digits = (part: number) => Math.round(part).toString(16).padStart(2, '0');
  return `#${digits(red)}${digits(green)}${digits(blue)}`;
}

function luminance(colour: string): number {
  const [red, green, blue] = parts(colour).map((part) => {
    const share = part / 255;
    return share <= 0.040_45 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** From 1 (the same) to 21 (black on white). */
export function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

const STEPS = 8;

/** The colour itself where it can be read on `background`, else one nearer to black or white. */
export function readable(colour: string, background: string): string {
  if (contrast(colour, background) >= READABLE) return colour;
  const end: Rgb = luminance(background) > 0.18 ? [0, 0, 0] : [255, 255, 255];
  const from = parts(colour);
  for (let step = 1; step <= STEPS; step += 1) {
    const mix = (index: 0 | 1 | 2) => from[index] + ((end[index] - from[index]) * step) / STEPS;
    const mixed = hexOf([mix(0), mix(1), mix(2)]);
    if (contrast(mixed, background) >= READABLE) return mixed;
  }
  return hexOf(end);
}
