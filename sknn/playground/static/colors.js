// Colours that colour-blind people tell apart: orange below 0, blue above, Okabe and Ito's for classes.

const LOW = [213, 94, 0], HIGH = [0, 114, 178];
export const CLASS_COLORS = [[213, 94, 0], [0, 114, 178], [0, 158, 115], [204, 121, 167], [230, 159, 0],
  [86, 180, 233], [140, 140, 140], [240, 228, 66], [120, 80, 40], [60, 60, 60]];

export const isDark = () => matchMedia("(prefers-color-scheme: dark)").matches;
const middle = () => (isDark() ? [38, 42, 46] : [247, 247, 247]);
export const ink = () => (isDark() ? "#e8eaed" : "#1b1f24");

// Return red, green and blue of a number from -1 to 1.
export function diverging(share) {
  const grey = middle(), end = share < 0 ? LOW : HIGH, t = Math.min(1, Math.abs(share));
  return grey.map((g, i) => Math.round(g + (end[i] - g) * t));
}

// A table of 256 colours for bytes around 128, made once for each theme.
const tables = {};
export function byteColors() {
  const key = isDark();
  tables[key] ??= Uint8ClampedArray.from({ length: 256 * 3 }, (_, i) => diverging((Math.floor(i / 3) - 128) / 127)[i % 3]);
  return tables[key];
}

// Return the colour of a class at a probability from 0 to 1, pale where it is unsure.
export function classColor(number, probability) {
  const grey = middle(), own = CLASS_COLORS[number % CLASS_COLORS.length];
  const t = Math.max(0.15, Math.min(1, probability));
  return grey.map((g, i) => Math.round(g + (own[i] - g) * t));
}

export const css = (rgb) => `rgb(${rgb.join(",")})`;
