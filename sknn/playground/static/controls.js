// The controls of the page: one table, from which all of them are built.

const NUMBER_OF_DATA = {
  classification: { circle: "Circle", xor: "Exclusive or", gauss: "Gauss", spiral: "Spiral", moons: "Moons", "three-spirals": "Three spirals (3 classes)", "four-blobs": "Four blobs (4 classes)" },
  regression: { plane: "Plane", "multi-gauss": "Multi gauss", sine: "Sine", cubic: "Cubic", lecture: "2x³ + 4x² − 5x + 1" },
};
const ACTIVATIONS = ["relu", "tanh", "logistic", "identity", "elu", "gelu", "leaky_relu", "selu", "silu", "softplus"];
export const FEATURES = { x1: "x₁", x2: "x₂", x1_squared: "x₁²", x2_squared: "x₂²", x1_x2: "x₁x₂", sin_x1: "sin x₁", sin_x2: "sin x₂" };
const ON_A_LINE = ["sine", "cubic", "lecture"];
export const isOnLine = (state) => ON_A_LINE.includes(state.data);
export const problemOf = (state) => (state.data in NUMBER_OF_DATA.regression ? "regression" : "classification");

const isNetwork = (s) => s.model === "network";
const isTrained = (s) => isNetwork(s) || s.model === "perceptron";
const isStochastic = (s) => isNetwork(s) && s.solver !== "lbfgs";
const rates = [0.00001, 0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
const options = (values) => Object.fromEntries(values.map((v) => [v, String(v)]));

// key, where it stands, label, sentence that explains it, kind and choices, and when it is there
export const CONTROLS = [
  { key: "model", place: "top", label: "Model", kind: "select", choices: () => ({ network: "Deep network", perceptron: "Perceptron", gate: "Threshold unit", xor: "XOR of three units" }),
    help: "A network that learns by gradient descent, Rosenblatt's perceptron sample by sample, one threshold unit that you set by hand, or three of them that compute exclusive or." },
  { key: "solver", place: "top", label: "Solver", kind: "select", when: isNetwork, choices: () => ({ sgd: "SGD", momentum: "SGD with momentum", adam: "Adam", adamw: "AdamW", lbfgs: "L-BFGS" }),
    help: "The rule by which weights follow the gradient. L-BFGS takes all samples at once; the others take a mini-batch a step." },
  { key: "learning_rate", place: "top", label: "Learning rate", kind: "number-select", when: (s) => isStochastic(s) || s.model === "perceptron", choices: () => options(rates),
    help: "How far each step goes. Too small a rate learns slowly, too large a rate makes the loss jump." },
  { key: "penalty", place: "top", label: "Regularization", kind: "select", when: isNetwork, choices: () => ({ none: "None", L1: "L1", L2: "L2" }),
    help: "A penalty on large weights. L1 pushes weights to exactly 0, L2 keeps all of them small." },
  { key: "penalty_rate", place: "top", label: "Regularization rate", kind: "number-select", when: (s) => isNetwork(s) && s.penalty !== "none", choices: () => options([0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10]),
    help: "How strong the penalty on the weights is." },
  { key: "speed", place: "top", label: "Speed", kind: "number-select", when: isTrained, choices: () => ({ 0: "as fast as it can", 100: "100 a second", 30: "30 a second", 10: "10 a second", 3: "3 a second", 1: "1 a second" }),
    help: "How many epochs are trained in a second, or samples shown to the perceptron." },
  { key: "gate", place: "top", label: "Gate", kind: "select", when: (s) => s.model === "gate", choices: () => ({ and: "AND", or: "OR", nand: "NAND", nor: "NOR", xor: "XOR (no single unit can)" }),
    help: "The truth table that the unit is to compute. Move its weights and its threshold until all four lines are right." },
  { key: "problem", place: "data", label: "Problem", kind: "select", when: isNetwork, choices: () => ({ classification: "Classification", regression: "Regression" }),
    help: "Classification tells classes apart; regression predicts a number." },
  { key: "data", place: "data", label: "Data", kind: "select", when: isTrained, choices: (s) => ({ ...NUMBER_OF_DATA[problemOf(s)], table: "Your own table (CSV)" }),
    help: "Which samples the model learns from." },
  { key: "file", place: "data", label: "CSV file", kind: "file", when: isTrained,
    help: "A table with names in its first line. It is read into this process only." },
  { key: "n_samples", place: "data", label: "Samples", kind: "range", low: 20, high: 2000, step: 20, when: (s) => isTrained(s) && s.data !== "table",
    help: "How many samples are made, for training and testing together." },
  { key: "train_share", place: "data", label: "Share for training", kind: "range", low: 0.1, high: 0.9, step: 0.1, percent: true, when: isTrained,
    help: "The share of the samples that the model learns from; the others only test it." },
  { key: "noise", place: "data", label: "Noise", kind: "range", low: 0, high: 0.5, step: 0.05, percent: true, when: (s) => isTrained(s) && s.data !== "table",
    help: "How far samples are moved at random from where they belong." },
  { key: "batch_size", place: "data", label: "Batch size", kind: "range", low: 1, high: 100, step: 1, when: isStochastic,
    help: "How many samples each step of the solver looks at." },
  { key: "early_stopping", place: "data", label: "Early stopping", kind: "check", when: isStochastic,
    help: "End training when the score of the test data has not risen for 10 epochs, and keep the best weights." },
  { key: "regenerate", place: "data", label: "Regenerate", kind: "button", when: isTrained,
    help: "Draw new samples of the same kind, or split the table anew." },
  { key: "seed", place: "data", label: "First weights", kind: "number", low: 0, high: 9999, step: 1, when: isNetwork,
    help: "The random state of the network: the same number gives the same first weights and the same order of the samples." },
  { key: "show_test", place: "output", label: "Show test data", kind: "check", when: isTrained, help: "Draw the samples that the model does not learn from, with a white rim." },
  { key: "discretize", place: "output", label: "Discretize output", kind: "check", help: "Colour each point by the predicted class alone, not by how sure the model is." },
];

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name in node && typeof value !== "string") node[name] = value; else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}
export { element, ACTIVATIONS };

function show(control, value) {
  if (control.percent) return `${Math.round(value * 100)} %`;
  return String(value);
}

function build(control, state, change) {
  const id = `control-${control.key}`, help = `${id}-help`;
  const value = control.key === "problem" ? problemOf(state) : state[control.key];
  const box = element("div", { class: control.kind === "check" ? "control check" : "control" });
  let input;
  if (control.kind === "select" || control.kind === "number-select") {
    input = element("select", { id });
    const choices = control.choices(state);
    if (!(String(value) in choices)) choices[value] = String(value);
    const order = Object.entries(choices);
    if (control.kind === "number-select" && control.key !== "speed") order.sort((a, b) => a[0] - b[0]);
    for (const [key, title] of order) input.append(element("option", { value: key, selected: String(value) === key }, title));
    input.onchange = () => change(control.key, control.kind === "select" ? input.value : Number(input.value));
  } else if (control.kind === "range") {
    input = element("input", { id, type: "range", min: String(control.low), max: String(Math.max(control.high, value)), step: String(control.step) });
    input.value = value;
    input.oninput = () => { box.querySelector(".value").textContent = show(control, Number(input.value)); };
    input.onchange = () => change(control.key, Number(input.value));
  } else if (control.kind === "number") {
    input = element("input", { id, type: "number", min: String(control.low), max: String(control.high), step: String(control.step) });
    input.value = value;
    input.onchange = () => change(control.key, Math.max(control.low, Math.min(control.high, Math.round(Number(input.value)))));
  } else if (control.kind === "check") {
    input = element("input", { id, type: "checkbox", checked: Boolean(value) });
    input.onchange = () => change(control.key, input.checked);
  } else if (control.kind === "file") {
    input = element("input", { id, type: "file", accept: ".csv,text/csv" });
    input.onchange = () => input.files[0] && change(control.key, input.files[0]);
  } else {
    input = element("button", { id, type: "button" }, control.label);
    input.onclick = () => change(control.key, true);
  }
  input.setAttribute("aria-describedby", help);
  const label = control.kind === "button" ? null : element("label", { for: id }, control.label);
  if (control.kind === "range") label.append(" ", element("span", { class: "value" }, show(control, value)));
  if (control.kind === "check") box.append(input, label); else box.append(...(label ? [label] : []), input);
  box.append(element("span", { class: "help", id: help, role: "tooltip" }, control.help));
  return box;
}

// Build all controls that the state calls for; the focus stays where it was.
export function buildControls(state, change) {
  const focused = document.activeElement?.id;
  for (const place of ["top", "data", "output"]) {
    const root = document.getElementById(`${place}-controls`);
    root.replaceChildren(...CONTROLS.filter((c) => c.place === place && !state.hide.includes(c.key) && (!c.when || c.when(state))).map((c) => build(c, state, change)));
  }
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

// Build the list by which a teacher hides controls.
export function buildHideList(state, change) {
  const more = [{ key: "features", label: "Features" }, { key: "layers", label: "Layers" }, { key: "code", label: "Code" }, { key: "lessons", label: "Lessons" }];
  document.getElementById("hide-list").replaceChildren(...[...CONTROLS, ...more].map((c) => {
    const input = element("input", { type: "checkbox", id: `hide-${c.key}`, checked: state.hide.includes(c.key) });
    input.onchange = () => change("hide", input.checked ? [...state.hide, c.key] : state.hide.filter((k) => k !== c.key));
    return element("span", { class: "control check" }, input, element("label", { for: `hide-${c.key}` }, c.label));
  }));
}
