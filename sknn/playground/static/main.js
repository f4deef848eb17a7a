// The page: its state, what changes it, and who draws it.

import { FEATURES, buildControls, buildHideList, element, isOnLine, problemOf } from "./controls.js";
import { byteColors } from "./colors.js";
import { NetworkPicture, UnitPanel, short, unitName } from "./network.js";
import { drawCurves, drawOutput, drawScale, drawUnitArea } from "./output.js";
import { savePng, saveFile, makeSvg } from "./save.js";
import { Connection } from "./socket.js";
import { fromHash, settingsOf, toHash } from "./state.js";
import { buildTour } from "./tour.js";

const $ = (id) => document.getElementById(id);
let state = fromHash(location.hash), problem = null, frame = null, curves = {};
let playing = false, chosen = null, looked = null, drawing = false, columns = null, n_frames = 0;
const VIEW_ONLY = ["show_test", "discretize", "hide", "lesson"];

const connection = new Connection(onMessage, onFrame, (isOpen) => {
  if (!isOpen) say("The connection to the process has ended. Start it again and reload this page.");
});

function say(text) { $("message").textContent = text; }

function setPlaying(value) {
  playing = value;
  $("play").setAttribute("aria-pressed", String(value));
  $("play-text").textContent = value ? "Pause" : "Play";
  $("play").firstElementChild.textContent = value ? "❚❚" : "▶";
}

function writeAddress() { history.replaceState(null, "", `#${toHash(state)}`); }

// Send the settings, so that the model begins anew.
function restart(keepPlaying) {
  say("");
  const wasPlaying = playing && keepPlaying;
  setPlaying(wasPlaying);
  if (state.data === "table" && !columns) { say("Choose a CSV file; its table stays in the process on this machine."); return; }
  connection.send({ type: "settings", settings: settingsOf(state), play: wasPlaying });
}

function buildPage() {
  buildControls(state, change);
  buildHideList(state, change);
  buildFeatures(); buildLayerControls(); buildColumns();
  buildTour($("tour"), state, go);
  const handMade = state.model === "gate" || state.model === "xor";
  for (const id of ["play", "step"]) $(id).hidden = handMade;
  $("counter-name").textContent = state.model === "perceptron" ? "Sample" : "Epoch";
  document.querySelector(".counter").hidden = $("data-panel").hidden = handMade;
  $("code-panel").hidden = state.hide.includes("code");
  $("tour-panel").hidden = state.hide.includes("lessons");
  for (const id of ["save-onnx"]) $(id).hidden = state.model !== "network";
}

function buildFeatures() {
  const root = $("features");
  root.hidden = state.hide.includes("features") || state.data === "table" || !["network", "perceptron"].includes(state.model);
  root.replaceChildren(element("legend", {}, "Features"), ...Object.entries(FEATURES).filter(([key]) => !isOnLine(state) || !key.includes("x2")).map(([key, title]) => {
    const input = element("input", { type: "checkbox", id: `feature-${key}`, checked: state.features.includes(key) });
    input.onchange = () => {
      const next = Object.keys(FEATURES).filter((k) => (k === key ? input.checked : state.features.includes(k)));
      if (!next.some((k) => !isOnLine(state) || !k.includes("x2"))) { input.checked = true; say("A network needs a feature."); return; }
      change("features", next);
    };
    return element("label", {}, input, title);
  }));
}

function buildLayerControls() {
  const root = $("layer-controls");
  if (state.model !== "network" || state.hide.includes("layers")) { root.replaceChildren(); return; }
  const focused = document.activeElement?.id;
  const fewer = element("button", { type: "button", id: "fewer-layers", disabled: state.layers.length === 0 }, "− layer");
  const more = element("button", { type: "button", id: "more-layers", disabled: state.layers.length === 8 }, "+ layer");
  fewer.onclick = () => change("layers", state.layers.slice(0, -1));
  more.onclick = () => change("layers", [...state.layers, { ...(state.layers.at(-1) ?? { units: 4, activation: "tanh", dropout: 0 }) }]);
  root.replaceChildren(fewer, element("span", {}, `${state.layers.length} hidden layer${state.layers.length === 1 ? "" : "s"}`), more);
  if (focused) $(focused)?.focus({ preventScroll: true });
}

function buildColumns() {
  const root = $("table-columns");
  root.hidden = !columns || state.data !== "table";
  if (root.hidden) return;
  const used = state.inputs.length ? state.inputs : columns.numeric.slice(0, 2);
  const boxes = columns.numeric.map((name, i) => {
    const input = element("input", { type: "checkbox", id: `column-${i}`, checked: used.includes(name) });
    input.onchange = () => change("inputs", columns.numeric.filter((n) => (n === name ? input.checked : used.includes(n))));
    return element("label", {}, input, name);
  });
  const target = element("select", { id: "column-target" }, ...columns.columns.map((name) => element("option", { value: name, selected: name === state.target }, name)));
  target.onchange = () => { state.inputs = state.inputs.filter((n) => n !== target.value); change("target", target.value); };
  root.replaceChildren(element("legend", {}, "Columns of your table"), element("div", { class: "chips" }, ...boxes), element("label", { for: "column-target" }, "Target "), target);
}

// Change one setting, as a control asks for it.
function change(key, value) {
  if (key === "file") { value.text().then((text) => connection.send({ type: "csv", text })); return; }
  if (key === "regenerate") { state.data_seed = (state.data_seed + 1) % 10000; }
  else if (key === "problem") { state.data = value === "regression" ? "plane" : "circle"; }
  else state[key] = value;
  if (key === "data" && isOnLine(state) && !state.features.some((k) => !k.includes("x2"))) state.features = ["x1", ...state.features];
  if (key === "model") { chosen = null; if (value === "perceptron") Object.assign(state, { data: problemOf(state) === "regression" ? "gauss" : state.data }); if (value === "gate") chosen = { layer: 1, unit: 0, row: null }; }
  writeAddress(); buildPage();
  if (key === "speed") connection.send({ type: "speed", value });
  else if (VIEW_ONLY.includes(key)) draw();
  else restart(true);
}

// Go to another state as a whole, as lessons and addresses do.
function go(next) {
  const before = JSON.stringify(settingsOf(state));
  state = next;
  chosen = state.model === "gate" ? { layer: 1, unit: 0, row: null } : null;
  writeAddress(); buildPage();
  if (before !== JSON.stringify(settingsOf(state)) || state.lesson) restart(false); else draw();
}

function onMessage(message) {
  if (message.type === "problem") { problem = message; frame = null; curves = {}; }
  else if (message.type === "error") { say(message.message); setPlaying(false); }
  else if (message.type === "finished") { setPlaying(false); say(`Training has ended after ${message.steps} epochs.`); }
  else if (message.type === "columns") {
    columns = message;
    state.data = "table"; state.target = message.columns.at(-1);
    state.inputs = message.numeric.filter((n) => n !== state.target).slice(0, 2);
    writeAddress(); buildPage(); restart(false);
  } else if (message.type === "code") {
    $("code").hidden = $("copy-code").hidden = false;
    $("code").textContent = message.text;
    $("code-note").textContent = message.is_edited ? "You have changed weights by hand, which this code does not do." : "This code gives the numbers on the page.";
  }
}

function onFrame(message) {
  if (message.header.type === "onnx") { saveFile(new Blob([message.arrays.file]), "network.onnx"); return; }
  frame = message; n_frames += 1;
  const { begin, ...news } = frame.header.curves;
  for (const [name, values] of Object.entries(news)) {
    curves[name] = (curves[name] ?? []).slice(0, begin).concat(values.map((v) => v ?? NaN));
  }
  if (!drawing) { drawing = true; requestAnimationFrame(() => { drawing = false; draw(); connection.send({ type: "ack" }); }); }
}

const picture = new NetworkPicture($("network"), {
  choose: (layer, unit, row) => { chosen = { layer, unit, row }; draw(); },
  look: (layer, unit) => { looked = layer === null ? null : { layer, unit }; draw(); },
  setLayer: (index, next) => change("layers", state.layers.map((own, i) => (i === index ? { ...own, ...next } : own))),
});
const panel = new UnitPanel($("unit"), (layer, row, column, value) => connection.send({ type: "weight", layer, row, column, value }));

function draw() {
  if (!frame || !problem) return;
  const { header } = frame;
  $("epoch").textContent = header.step.toLocaleString("en");
  picture.draw(frame, problem, state, chosen);
  panel.draw(frame, problem, state, chosen);
  const index = looked ? header.sizes.slice(0, looked.layer).reduce((a, b) => a + b, 0) + looked.unit : -1;
  if (looked && looked.layer < header.sizes.length && looked.unit < header.sizes[looked.layer]) {
    const total = header.sizes.reduce((a, b) => a + b, 0), points = frame.arrays.units.length / total;
    drawUnitArea($("surface"), frame.arrays.units.subarray(index * points, (index + 1) * points), problem.bounds.length === 1, byteColors());
    $("looking-at").textContent = `Unit ${unitName(frame, problem, looked.layer, looked.unit)}, from −${short(frame.arrays.scales[index])} to ${short(frame.arrays.scales[index])}`;
  } else {
    drawOutput($("surface"), frame, problem, state);
    $("looking-at").textContent = `The output over ${problem.axes.join(" and ")}`;
  }
  drawScale($("scale"), problem, state);
  drawFigures(); drawCurves($("curves"), curves); drawTruthTable();
}

function drawFigures() {
  const last = (name) => curves[name]?.at(-1), isClass = problem.kind === "classification";
  const lossName = state.model === "perceptron" ? "Error" : "Loss";
  const figures = { [`${lossName}, training`]: last("loss"), [`${lossName}, test`]: last("validation_loss"), [isClass ? "Accuracy, training" : "R², training"]: last("score"), [isClass ? "Accuracy, test" : "R², test"]: last("validation_score") };
  if (frame.header.gradients) figures["Gradient by layer"] = frame.header.gradients;
  if (frame.header.n_changes !== undefined) figures["Weight changes"] = frame.header.n_changes;
  if (frame.header.sample) figures["Last sample"] = frame.header.was_wrong ? "wrong: weights moved" : "right: nothing changes";
  const shown = Object.entries(figures).filter(([, value]) => value !== undefined);
  $("figures").replaceChildren(...shown.flatMap(([name, value]) => {
    const text = typeof value === "string" ? value : Array.isArray(value) ? value.map(short).join(" · ") : short(value);
    return [element("div", {}, element("dt", {}, name), element("dd", { "data-figure": name }, text))];
  }));
  const hasCurves = Boolean(curves.loss?.length);
  $("curves").hidden = !hasCurves;
  $("curve-legend").hidden = !hasCurves;
  if (hasCurves && !$("curve-legend").firstChild) {
    const swatch = (color, style) => { const s = element("span", { class: "swatch" }); s.style.borderTopColor = color; s.style.borderTopStyle = style; return s; };
    $("curve-legend").append(swatch("#0072B2", "solid"), "training", swatch("#D55E00", "dashed"), "test");
  }
  $("curves").setAttribute("aria-label", hasCurves ? `Loss of ${curves.loss.length} epochs: training ${short(last("loss"))}, test ${short(last("validation_loss"))}.` : "No epoch yet.");
}

function drawTruthTable() {
  const table = frame.header.truth_table, root = $("table-of-truth");
  if (!table) { root.replaceChildren(); return; }
  const names = frame.header.names.flat(), wanted = frame.header.wanted;
  const head = element("tr", {}, ...[...names, "asked for"].map((name) => element("th", { scope: "col" }, name)));
  const lines = table.map((values, i) => element("tr", {}, ...values.map((value, j) => element("td", { class: j === values.length - 1 && value !== wanted[i] ? "bad" : "good" }, String(value))), element("td", {}, String(wanted[i]))));
  const right = table.filter((values, i) => values.at(-1) === wanted[i]).length;
  root.replaceChildren(element("table", {}, element("caption", {}, `${right} of 4 lines are right`), head, ...lines));
}

$("play").onclick = () => {
  if (state.data === "table" && !columns) return;
  setPlaying(!playing);
  connection.send({ type: playing ? "play" : "pause" });
};
$("step").onclick = () => { setPlaying(false); connection.send({ type: "step" }); };
$("reset").onclick = () => restart(false);
$("show-code").onclick = () => connection.send({ type: "code" });
$("copy-code").onclick = () => navigator.clipboard.writeText($("code").textContent).then(() => say("The code is in the clipboard."), () => say("The browser did not let the page write to the clipboard."));
$("save-svg").onclick = () => frame && saveFile(new Blob([makeSvg(picture, $("surface"))], { type: "image/svg+xml" }), "network.svg");
$("save-png").onclick = () => frame && savePng(picture, $("surface"), "network.png");
$("save-onnx").onclick = () => connection.send({ type: "onnx" });
addEventListener("hashchange", () => { const next = fromHash(location.hash); if (toHash(next) !== toHash(state)) go(next); });
addEventListener("resize", () => { picture.key = ""; draw(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw());
addEventListener("keydown", (event) => {
  if (event.key === " " && event.target === document.body) { event.preventDefault(); $("play").click(); }
});
// for tests and the curious: what is on the page
globalThis.playground = { get state() { return state; }, get frame() { return frame; }, get curves() { return curves; }, get frames() { return n_frames; } };

if (state.model === "gate") chosen = { layer: 1, unit: 0, row: null };
buildPage();
restart(false);
