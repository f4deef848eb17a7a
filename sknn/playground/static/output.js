// The large picture of the output, the samples on it, the colour scale and the curves of the loss.

import { CLASS_COLORS, classColor, css, diverging, ink, isDark } from "./colors.js";
import { short } from "./network.js";

// how strong the colours of the surface are at most, so that samples stand out
const PALE = 0.7;
const MARKS = ["circle", "square", "triangle", "diamond", "cross"];

function mark(context, kind, x, y, r) {
  context.beginPath();
  if (kind === "circle") context.arc(x, y, r, 0, 7);
  else if (kind === "square") context.rect(x - r, y - r, 2 * r, 2 * r);
  else if (kind === "triangle") { context.moveTo(x, y - 1.2 * r); context.lineTo(x + 1.1 * r, y + r); context.lineTo(x - 1.1 * r, y + r); context.closePath(); }
  else if (kind === "diamond") { context.moveTo(x, y - 1.3 * r); context.lineTo(x + 1.3 * r, y); context.lineTo(x, y + 1.3 * r); context.lineTo(x - 1.3 * r, y); context.closePath(); }
  else { const s = r / 2; context.rect(x - r, y - s, 2 * r, 2 * s); context.rect(x - s, y - r, 2 * s, 2 * r); }
  context.fill(); context.stroke();
}

// Return the smallest and the largest target.
export function targetRange(problem) {
  const all = [...problem.train.y, ...problem.test.y];
  const low = Math.min(...all), high = Math.max(...all);
  return high > low ? [low, high] : [low - 1, high + 1];
}

const share = (value, [low, high]) => (2 * (value - low)) / (high - low) - 1;

// Return a function from a number of the output, and its class, to a colour.
function outputColor(problem, discretize) {
  if (problem.kind === "regression") {
    const range = targetRange(problem);
    return (value) => { const s = share(value, range); return diverging(PALE * (discretize ? Math.sign(s) : s)); };
  }
  if (problem.classes.length === 2) return (value) => diverging(PALE * (discretize ? (value >= 0.5 ? 1 : -1) : 2 * value - 1));
  const n = problem.classes.length;
  return (value, winner) => classColor(winner, PALE * (discretize ? 1 : (value - 1 / n) / (1 - 1 / n)));
}

function drawArea(canvas, frame, problem, state) {
  const side = Math.round(Math.sqrt(frame.arrays.surface.length)), color = outputColor(problem, state.discretize);
  const small = new OffscreenCanvas(side, side), context = small.getContext("2d"), image = context.createImageData(side, side);
  frame.arrays.surface.forEach((value, i) => {
    const [r, g, b] = color(value, frame.arrays.winners?.[i]);
    image.data.set([r, g, b, 255], 4 * i);
  });
  context.putImageData(image, 0, 0);
  const target = canvas.getContext("2d");
  target.imageSmoothingEnabled = !state.discretize;
  target.drawImage(small, 0, 0, canvas.width, canvas.height);
}

function drawUnitArea(canvas, bytes, isCurve, byteColors) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (isCurve) {
    context.strokeStyle = ink(); context.lineWidth = 4; context.beginPath();
    bytes.forEach((byte, i) => context.lineTo((i / (bytes.length - 1)) * canvas.width, canvas.height * (1 - (byte - 1) / 254) * 0.9 + 0.05 * canvas.height));
    context.stroke();
    return;
  }
  const side = Math.round(Math.sqrt(bytes.length)), small = new OffscreenCanvas(side, side), image = new ImageData(side, side);
  bytes.forEach((byte, i) => image.data.set([...byteColors.subarray(3 * byte, 3 * byte + 3), 255], 4 * i));
  small.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
}
export { drawUnitArea };

function place(canvas, problem, range, point, y) {
  const [[x0, x1], second] = problem.bounds;
  const [y0, y1] = second ?? range, vertical = second ? point[1] : y;
  return [((point[0] - x0) / (x1 - x0)) * canvas.width, (1 - (vertical - y0) / (y1 - y0)) * canvas.height];
}

function drawPoints(canvas, problem, samples, range, isTest) {
  const context = canvas.getContext("2d");
  context.lineWidth = isTest ? 2.5 : 1.5;
  samples.points.forEach((point, i) => {
    const y = samples.y[i], [px, py] = place(canvas, problem, range, point, y);
    const isClass = problem.kind === "classification";
    context.fillStyle = isClass ? css(CLASS_COLORS[y % CLASS_COLORS.length]) : css(diverging(share(y, targetRange(problem))));
    context.strokeStyle = isTest ? (isDark() ? "#ffffff" : "#000000") : isDark() ? "#14171a" : "#ffffff";
    const yy = problem.bounds.length === 1 && isClass ? canvas.height * (y + 0.5) / problem.classes.length : py;
    mark(context, isClass ? MARKS[y % MARKS.length] : "circle", px, yy, samples.points.length < 10 ? 14 : 6.5);
  });
}

function drawCurve(canvas, frame, problem, range) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  const limits = problem.kind === "regression" ? range : [0, 1];
  context.strokeStyle = ink(); context.lineWidth = 4; context.beginPath();
  frame.arrays.surface.forEach((value, i) => {
    context.lineTo(((i + 0.5) / frame.arrays.surface.length) * canvas.width, (1 - (value - limits[0]) / (limits[1] - limits[0])) * canvas.height);
  });
  context.stroke();
}

// Draw the output over the plane or the line, with the samples.
export function drawOutput(canvas, frame, problem, state) {
  const onLine = problem.bounds.length === 1, [low, high] = targetRange(problem), margin = 0.08 * (high - low);
  const range = [low - margin, high + margin];
  if (onLine) drawCurve(canvas, frame, problem, range); else drawArea(canvas, frame, problem, state);
  drawPoints(canvas, problem, problem.train, range, false);
  if (state.show_test) drawPoints(canvas, problem, problem.test, range, true);
  const { sample } = frame.header;
  if (sample) {
    const context = canvas.getContext("2d"), [x, y] = place(canvas, problem, range, sample, 0);
    context.strokeStyle = ink(); context.lineWidth = 4; context.beginPath(); context.arc(x, y, 16, 0, 7); context.stroke();
  }
  const names = problem.axes, [[x0, x1], second] = problem.bounds;
  const [y0, y1] = second ?? range;
  canvas.setAttribute("aria-label", `Output over ${names.join(" and ")}: ${names[0]} from ${short(x0)} to ${short(x1)}, ${names[1] ?? "y"} from ${short(y0)} to ${short(y1)}.`);
}

// Draw the colours of the output from its low end to its high end.
export function drawScale(canvas, problem, state) {
  const context = canvas.getContext("2d"), color = outputColor(problem, state.discretize);
  const [low, high] = problem.kind === "regression" ? targetRange(problem) : [0, 1], n = problem.classes.length;
  for (let i = 0; i < 256; i++) {
    const rgb = n > 2 ? CLASS_COLORS[Math.floor((i / 256) * n)] : color(low + ((high - low) * i) / 255, 0);
    context.fillStyle = css(rgb); context.fillRect(i, 0, 1, 12);
  }
  const text = n > 2 ? [`class ${problem.classes[0]}`, `class ${problem.classes.at(-1)}`] : n === 2 ? [`class ${problem.classes[0]}`, `class ${problem.classes[1]}`] : [short(low), short(high)];
  document.getElementById("scale-low").textContent = text[0];
  document.getElementById("scale-high").textContent = text[1];
}

// Draw the curves of the loss of training and test data, on a scale that fits both.
export function drawCurves(canvas, curves) {
  const context = canvas.getContext("2d"), { width, height } = canvas;
  context.clearRect(0, 0, width, height);
  const shown = [["loss", "#0072B2", []], ["validation_loss", "#D55E00", [10, 5]]].filter(([name]) => curves[name]?.length);
  if (!shown.length) return;
  const finite = shown.flatMap(([name]) => curves[name]).filter(Number.isFinite);
  const high = finite.reduce((a, b) => Math.max(a, b), 1e-9), n = Math.max(...shown.map(([name]) => curves[name].length));
  context.strokeStyle = ink(); context.fillStyle = ink(); context.lineWidth = 1; context.font = "20px system-ui, sans-serif";
  context.strokeRect(0.5, 0.5, width - 1, height - 1);
  context.fillText(short(high), 6, 22); context.fillText("0", 6, height - 6);
  for (const [name, color, dash] of shown) {
    const values = curves[name], stride = Math.max(1, Math.floor(values.length / width));
    context.strokeStyle = isDark() ? (name === "loss" ? "#56b4e9" : "#ff9d5c") : color;
    context.lineWidth = 3; context.setLineDash(dash); context.beginPath();
    for (let i = 0; i < values.length; i += stride) if (Number.isFinite(values[i])) context.lineTo(n > 1 ? (i / (n - 1)) * width : 0, height - (values[i] / high) * (height - 28));
    context.stroke();
  }
  context.setLineDash([]);
}
