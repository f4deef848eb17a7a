// The picture of the network: a small picture for each unit, lines for weights, and the unit looked at.

import { ACTIVATIONS, element } from "./controls.js";
import { byteColors, css, diverging, isDark } from "./colors.js";

const SIZE = 44, GAP = 12, LEFT = 60, HEAD = 108, PLAIN_HEAD = 30;
const SVG = "http://www.w3.org/2000/svg";

// Return where each layer's matrix and biases begin in the vector of all weights.
export function weightPlaces(sizes) {
  const places = [];
  let start = 0;
  for (let i = 1; i < sizes.length; i++) {
    places.push({ matrix: start, bias: start + sizes[i - 1] * sizes[i], before: sizes[i - 1], units: sizes[i] });
    start += sizes[i - 1] * sizes[i] + sizes[i];
  }
  return places;
}
export const weightAt = (frame, layer, row, column) => {
  const place = weightPlaces(frame.header.sizes)[layer];
  return frame.arrays.weights[row < 0 ? place.bias + column : place.matrix + row * place.units + column];
};

// Write a number with three digits; a power of ten stands in place of more than two zeros after the point.
export function short(number) {
  if (!Number.isFinite(number)) return "not finite";
  const rounded = Number(number.toPrecision(3));
  const isTiny = rounded !== 0 && Math.abs(rounded) < 0.001;
  return (isTiny ? rounded.toExponential() : rounded.toString()).replaceAll("-", "−");
}

// Name a unit for people: inputs by their features, units by layer and number as in coefs_.
export function unitName(frame, problem, layer, unit) {
  const names = frame.header.names;
  if (names) return names[layer][unit];
  if (layer === 0) return problem.features[unit];
  if (layer === frame.header.sizes.length - 1) return frame.header.sizes.at(-1) === 1 ? "output" : `output ${problem.classes[unit] ?? unit}`;
  return `h${layer}.${unit + 1}`;
}

// Write what a unit computes, with the numbers it has now.
export function formula(frame, problem, layer, unit) {
  const place = weightPlaces(frame.header.sizes)[layer - 1];
  const terms = [];
  for (let row = 0; row < place.before; row++) {
    const w = weightAt(frame, layer - 1, row, unit);
    terms.push(`${w < 0 ? "− " : terms.length ? "+ " : ""}${short(Math.abs(w))}·${unitName(frame, problem, layer - 1, row)}`);
  }
  const bias = weightAt(frame, layer - 1, -1, unit);
  terms.push(`${bias < 0 ? "− " : "+ "}${short(Math.abs(bias))}`);
  return `${unitName(frame, problem, layer, unit)} = ${frame.header.activations[layer - 1]}(${terms.join(" ")})`;
}

export class NetworkPicture {
  constructor(root, actions) {
    this.root = root; this.actions = actions; this.key = "";
  }

  // Draw a frame; the elements are made anew only when the shape of the network has changed.
  draw(frame, problem, state, chosen) {
    const key = JSON.stringify([frame.header.sizes, problem.features, problem.classes, state.layers, state.model, state.hide]);
    if (key !== this.key) { this.key = key; this.build(frame, problem, state); }
    this.paintUnits(frame, problem, chosen);
    this.paintLines(frame);
  }

  build(frame, problem, state) {
    const { sizes } = frame.header, focused = document.activeElement?.id;
    const editable = state.model === "network" && !state.hide.includes("layers");
    const head = editable ? HEAD : PLAIN_HEAD;
    const most = Math.max(...sizes), height = head + most * (SIZE + GAP);
    const column = Math.max(editable ? 126 : 96, Math.min(180, (this.root.parentElement.clientWidth - LEFT - SIZE - 72) / Math.max(1, sizes.length - 1)));
    const width = LEFT + column * (sizes.length - 1) + SIZE + 70;
    this.root.style.height = `${height}px`; this.root.style.width = `${width}px`;
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("width", width); svg.setAttribute("height", height); svg.setAttribute("aria-hidden", "true");
    const at = (layer, unit) => ({ x: LEFT + layer * column, y: head + (unit + (most - sizes[layer]) / 2) * (SIZE + GAP) });
    this.at = at; this.size = { width, height };
    this.lines = [];
    // row -1 is the bias: a short line of its own at the lower left of the unit
    for (let layer = 0; layer + 1 < sizes.length; layer++) {
      for (const row of [...Array(sizes[layer]).keys(), -1]) for (let unit = 0; unit < sizes[layer + 1]; unit++) {
        const a = at(layer, Math.max(row, 0)), b = at(layer + 1, unit), x1 = a.x + SIZE, y1 = a.y + SIZE / 2, x2 = b.x, y2 = b.y + SIZE / 2;
        const d = row < 0 ? `M${x2 - 14} ${b.y + SIZE - 3}H${x2}` : `M${x1} ${y1}C${x1 + column / 4} ${y1} ${x2 - column / 4} ${y2} ${x2} ${y2}`;
        const line = document.createElementNS(SVG, "path"), hit = document.createElementNS(SVG, "path");
        line.setAttribute("d", d); hit.setAttribute("d", d); hit.setAttribute("class", "hit");
        const title = document.createElementNS(SVG, "title"); hit.append(title);
        hit.addEventListener("click", () => this.actions.choose(layer + 1, unit, row));
        svg.append(line, hit);
        this.lines.push({ line, title, layer, row, unit });
      }
    }
    this.units = [];
    const nodes = [svg];
    sizes.forEach((n, layer) => {
      for (let unit = 0; unit < n; unit++) {
        const place = at(layer, unit), canvas = element("canvas", { "aria-hidden": "true" });
        const button = element("button", { type: "button", class: "unit", id: `unit-${layer}-${unit}` }, canvas);
        button.style.left = `${place.x}px`; button.style.top = `${place.y}px`;
        button.onclick = () => this.actions.choose(layer, unit, null);
        button.onpointerenter = button.onfocus = () => this.actions.look(layer, unit);
        button.onpointerleave = button.onblur = () => this.actions.look(null, null);
        this.units.push({ button, canvas, layer, unit });
        nodes.push(button);
        if (layer === 0 || layer === sizes.length - 1) {
          const name = element("span", { class: "unit-name", "aria-hidden": "true" }, unitName(frame, problem, layer, unit));
          name.style.top = `${place.y + 12}px`;
          if (layer === 0) { name.style.right = `${width - place.x + 6}px`; } else { name.style.left = `${place.x + SIZE + 6}px`; }
          nodes.push(name);
        }
      }
    });
    for (let layer = 0; layer < sizes.length; layer++) nodes.push(this.head(layer, sizes, state, at(layer, 0).x + SIZE / 2, editable));
    this.root.replaceChildren(...nodes);
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }

  head(layer, sizes, state, x, editable) {
    const box = element("div", { class: "layer-head" });
    box.style.left = `${x - 59}px`;
    if (layer === 0) { box.append("inputs"); return box; }
    if (layer === sizes.length - 1) { box.append("output"); return box; }
    if (!editable) { box.append(`layer ${layer}`); return box; }
    const own = state.layers[layer - 1], name = `layer ${layer}`;
    if (!own) return box;
    const set = (change) => this.actions.setLayer(layer - 1, change);
    const fewer = element("button", { type: "button", id: `fewer-${layer}`, "aria-label": `Remove a unit of ${name}` }, "−");
    const more = element("button", { type: "button", id: `more-${layer}`, "aria-label": `Add a unit to ${name}` }, "+");
    fewer.onclick = () => set({ units: Math.max(1, own.units - 1) });
    more.onclick = () => set({ units: Math.min(16, own.units + 1) });
    const activation = element("select", { id: `activation-${layer}`, "aria-label": `Activation of ${name}` }, ...ACTIVATIONS.map((a) => element("option", { value: a, selected: a === own.activation }, a)));
    activation.onchange = () => set({ activation: activation.value });
    const dropout = element("select", { id: `dropout-${layer}`, "aria-label": `Dropout of ${name}` }, ...[0, 0.1, 0.2, 0.3, 0.5].map((r) => element("option", { value: String(r), selected: r === own.dropout }, r ? `dropout ${r * 100} %` : "no dropout")));
    dropout.onchange = () => set({ dropout: Number(dropout.value) });
    box.append(element("div", { class: "pair" }, fewer, element("span", {}, `${own.units} unit${own.units === 1 ? "" : "s"}`), more), activation, dropout);
    return box;
  }

  paintUnits(frame, problem, chosen) {
    const { units } = frame.arrays, count = this.units.length, points = units.length / count;
    this.units.forEach((own, index) => {
      paintUnit(own.canvas, units.subarray(index * points, (index + 1) * points), problem.bounds.length === 1);
      const name = unitName(frame, problem, own.layer, own.unit);
      own.button.setAttribute("aria-label", own.layer === 0 ? `Input ${name}` : `Unit ${name}`);
      own.button.classList.toggle("chosen", Boolean(chosen) && chosen.layer === own.layer && chosen.unit === own.unit);
    });
  }

  paintLines(frame) {
    let most = 1e-9;
    for (const { layer, row, unit } of this.lines) most = Math.max(most, Math.abs(weightAt(frame, layer, row, unit)) || 0);
    for (const { line, title, layer, row, unit } of this.lines) {
      const w = weightAt(frame, layer, row, unit);
      line.setAttribute("stroke", css(diverging(w < 0 ? -0.9 : 0.9)));
      line.setAttribute("stroke-width", String(0.5 + (6 * Math.abs(w || 0)) / Math.max(most, 1)));
      line.setAttribute("stroke-dasharray", w < 0 ? "6 3" : "none");
      title.textContent = `${row < 0 ? "bias" : "weight"} ${short(w)}`;
    }
  }
}

// Paint what a unit computes: a square of colours, or a curve on a line.
export function paintUnit(canvas, bytes, isCurve) {
  const context = canvas.getContext("2d");
  if (isCurve) {
    canvas.width = canvas.height = 64;
    context.strokeStyle = isDark() ? "#6cb6ff" : "#0072B2"; context.lineWidth = 3; context.beginPath();
    bytes.forEach((byte, i) => context.lineTo((i / (bytes.length - 1)) * 63, 61 - ((byte - 1) / 254) * 58));
    context.stroke();
    return;
  }
  const side = Math.round(Math.sqrt(bytes.length)), colors = byteColors();
  if (canvas.width !== side) { canvas.width = side; canvas.height = side; }
  const image = context.createImageData(side, side);
  for (let i = 0; i < bytes.length; i++) {
    image.data.set(colors.subarray(3 * bytes[i], 3 * bytes[i] + 3), 4 * i);
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

// Show the formula of a unit and its weights as numbers, or as sliders for a unit set by hand.
export class UnitPanel {
  constructor(root, setWeight) { this.root = root; this.setWeight = setWeight; this.key = ""; }

  draw(frame, problem, state, chosen) {
    const { sizes } = frame.header;
    if (!chosen || chosen.layer >= sizes.length || chosen.unit >= sizes[chosen.layer]) {
      this.key = "";
      this.root.replaceChildren(element("p", {}, "Choose a unit to see its formula and to change its weights."));
      return;
    }
    const { layer, unit } = chosen, name = unitName(frame, problem, layer, unit);
    if (layer === 0) {
      this.key = "";
      this.root.replaceChildren(element("h3", {}, `Input ${name}`), element("p", {}, "An input computes nothing: it passes a feature of the sample on."));
      return;
    }
    const byHand = state.model === "gate" || state.model === "xor", readOnly = state.model === "perceptron";
    const key = JSON.stringify([layer, unit, sizes, state.model]);
    if (key !== this.key) { this.key = key; this.build(frame, problem, layer, unit, byHand, readOnly); }
    this.root.querySelector(".formula").textContent = formula(frame, problem, layer, unit);
    const gradients = frame.header.gradients;
    this.root.querySelector(".note").textContent = gradients ? `Length of the gradient of the loss with respect to the weights of this layer: ${short(gradients[layer - 1])}` : "";
    for (const input of this.root.querySelectorAll("input")) {
      const row = Number(input.dataset.row);
      let value = weightAt(frame, layer - 1, row, unit);
      if (row < 0 && byHand) value = -value;
      if (input !== document.activeElement || !input.dataset.dirty) input.value = input.type === "range" ? value : Number(value.toPrecision(6));
      if (input.type === "range") input.nextSibling.textContent = short(value);
    }
    if (chosen.row !== null && chosen.row !== undefined) {
      this.root.querySelector(`input[data-row="${chosen.row}"]`)?.focus();
      chosen.row = null;
    }
  }

  build(frame, problem, layer, unit, byHand, readOnly) {
    const inputs = element("div", { class: "weights" });
    for (const row of [...Array(frame.header.sizes[layer - 1]).keys(), -1]) {
      const id = `weight-${row}`, title = row < 0 ? (byHand ? "threshold θ" : "bias") : `weight of ${unitName(frame, problem, layer - 1, row)}`;
      const input = byHand ? element("input", { type: "range", min: "-3", max: "3", step: "0.5", id }) : element("input", { type: "number", step: "any", id, disabled: readOnly });
      input.dataset.row = row;
      input.oninput = () => { input.dataset.dirty = "1"; if (byHand) send(); };
      const send = () => {
        delete input.dataset.dirty;
        const value = Number(input.value);
        if (input.value !== "" && Number.isFinite(value)) this.setWeight(layer - 1, row, unit, row < 0 && byHand ? -value : value);
      };
      if (!byHand) input.onchange = send;
      inputs.append(element("span", { class: "control" }, element("label", { for: id }, title), element("span", {}, input, ...(byHand ? [element("span", {})] : []))));
    }
    this.root.replaceChildren(element("h3", {}, `Unit ${unitName(frame, problem, layer, unit)}`), element("p", { class: "formula" }), inputs, element("p", { class: "note" }));
  }
}
