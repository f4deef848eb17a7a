// Five lessons after the lecture: each sets the page, says what to do, and what to look at.

import { element } from "./controls.js";
import { newState } from "./state.js";

const layer = (units, activation = "tanh") => ({ units, activation, dropout: 0 });
export const LESSONS = [
  { key: "neuron", title: "The neuron", steps: [
    { say: "In 1943 McCulloch and Pitts described a neuron that fires when the sum of its inputs reaches a threshold θ. This one has two inputs, a and b, of weight 1, and θ = 2: it computes AND. Look at its truth table below the picture.", set: { model: "gate", gate: "and" } },
    { say: "Now the table asks for OR. Choose the unit “output” and move its threshold until all four lines are right. (The lecture's answer is θ = 1.)", set: { model: "gate", gate: "or" } },
    { say: "Inhibition is a weight of −1. Try NOR: both weights negative, and a threshold of 0.", set: { model: "gate", gate: "nor" } },
  ] },
  { key: "xor", title: "Exclusive or", steps: [
    { say: "Try to find weights for exclusive or. Minsky and Papert showed in 1969 that there are none: one unit draws one straight line, and no line parts these four points.", set: { model: "gate", gate: "xor" } },
    { say: "Two layers do it: one hidden unit is AND, the other is OR, and the output fires for “OR and not AND”. Point at the units to see the half-plane of each.", set: { model: "xor" } },
    { say: "A network of two layers can also learn it. Press Play, and watch the hidden units turn into two lines.", set: { model: "network", data: "xor", layers: [layer(4)] } },
  ] },
  { key: "activations", title: "Activations", steps: [
    { say: "Without a curved activation many layers are one linear map. Press Play: with identity the border stays a straight line, and circles cannot be learned.", set: { data: "circle", layers: [layer(4, "identity"), layer(2, "identity")] } },
    { say: "The same network with ReLU. Press Play: each unit bends along one line, and together they close a polygon around the middle.", set: { data: "circle", layers: [layer(4, "relu"), layer(2, "relu")] } },
    { say: "With tanh the border is smooth. Point at the units and compare their pictures with those of ReLU.", set: { data: "circle", layers: [layer(4), layer(2)] } },
  ] },
  { key: "width", title: "Width", steps: [
    { say: "A hidden layer that is wide enough comes as close to a continuous function as you like (Cybenko 1989). The function is 2x³ + 4x² − 5x + 1 on [−4, 2). Press Play: one unit gives one bend.", set: { data: "lecture", features: ["x1"], layers: [layer(1)] } },
    { say: "Three units: more bends, less loss. Press Play and compare the loss.", set: { data: "lecture", features: ["x1"], layers: [layer(3)] } },
    { say: "Sixteen units. Press Play: the curve hardly differs from the samples.", set: { data: "lecture", features: ["x1"], layers: [layer(16)] } },
  ] },
  { key: "overfitting", title: "Overfitting", steps: [
    { say: "Few samples, much noise, a large network. Press Play: the loss on the training data falls, and that on the test data rises after a while. The network learns the noise.", set: { data: "moons", noise: 0.4, n_samples: 120, layers: [layer(16), layer(16)], show_test: true, learning_rate: 0.01 } },
    { say: "L2 keeps the weights small. Press Play and compare the two losses.", set: { data: "moons", noise: 0.4, n_samples: 120, layers: [layer(16), layer(16)], show_test: true, learning_rate: 0.01, penalty: "L2", penalty_rate: 0.3 } },
    { say: "Early stopping ends training when the score of the test data stalls, and goes back to the best weights. Press Play.", set: { data: "moons", noise: 0.4, n_samples: 120, layers: [layer(16), layer(16)], show_test: true, learning_rate: 0.01, early_stopping: true } },
  ] },
];

// Return the state that a lesson's step begins with; what is hidden stays hidden.
export function lessonState(lesson, step, hide) {
  return { ...newState(), hide, ...JSON.parse(JSON.stringify(lesson.steps[step].set)), lesson: `${lesson.key}.${step}` };
}

// Build the lessons; `go` is called with the state of a step.
export function buildTour(root, state, go) {
  const [key, text] = state.lesson.split("."), step = Number(text ?? 0);
  const current = LESSONS.find((lesson) => lesson.key === key);
  const list = element("ol", {}, ...LESSONS.map((lesson) => {
    const button = element("button", { type: "button", id: `lesson-${lesson.key}`, "aria-pressed": String(lesson === current) }, lesson.title);
    button.onclick = () => go(lessonState(lesson, 0, state.hide));
    return element("li", {}, button);
  }));
  const focused = document.activeElement?.id;
  root.replaceChildren(list);
  if (current && step in current.steps) {
    const back = element("button", { type: "button", id: "tour-back", disabled: step === 0 }, "Back");
    const next = element("button", { type: "button", id: "tour-next", disabled: step === current.steps.length - 1 }, "Next");
    const end = element("button", { type: "button", id: "tour-end" }, "End the lesson");
    back.onclick = () => go(lessonState(current, step - 1, state.hide));
    next.onclick = () => go(lessonState(current, step + 1, state.hide));
    end.onclick = () => go({ ...state, lesson: "" });
    root.append(element("div", { class: "lesson", role: "status" }, element("h3", {}, `${current.title}, step ${step + 1} of ${current.steps.length}`), element("p", {}, current.steps[step].say), element("div", { class: "transport" }, back, next, end)));
  }
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}
