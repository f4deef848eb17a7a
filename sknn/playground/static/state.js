// The settings of the page, and how they are written into its address.

export const DEFAULTS = Object.freeze({
  model: "network", data: "circle", noise: 0, n_samples: 500, train_share: 0.5, data_seed: 0,
  features: ["x1", "x2"], inputs: [], target: "",
  layers: [{ units: 4, activation: "tanh", dropout: 0 }, { units: 2, activation: "tanh", dropout: 0 }],
  solver: "adam", learning_rate: 0.03, penalty: "none", penalty_rate: 0, batch_size: 10, seed: 0,
  speed: 0, early_stopping: false, gate: "and",
});

// what only the page needs
export const VIEW_DEFAULTS = Object.freeze({ show_test: false, discretize: false, hide: [], lesson: "" });

const copy = (value) => JSON.parse(JSON.stringify(value));
export const newState = () => ({ ...copy(DEFAULTS), ...copy(VIEW_DEFAULTS) });

function writeValue(name, value) {
  if (name === "layers") return value.map((l) => `${l.units}.${l.activation}.${Math.round(l.dropout * 100)}`).join(",");
  if (Array.isArray(value)) return value.map(encodeURIComponent).join(",");
  return encodeURIComponent(String(value));
}

function readValue(name, text) {
  const standard = name in DEFAULTS ? DEFAULTS[name] : VIEW_DEFAULTS[name];
  if (name === "layers") {
    return text === "" ? [] : text.split(",").map((item) => {
      const [units, activation, dropout] = item.split(".");
      return { units: Number(units), activation: activation || "tanh", dropout: Number(dropout || 0) / 100 };
    });
  }
  if (Array.isArray(standard)) return text === "" ? [] : text.split(",").map(decodeURIComponent);
  if (typeof standard === "boolean") return text === "true";
  if (typeof standard === "number") return Number(text);
  return decodeURIComponent(text);
}

// Return the part of the address behind '#': all that differs from the defaults.
export function toHash(state) {
  const standard = newState();
  return Object.keys(standard)
    .filter((name) => JSON.stringify(state[name]) !== JSON.stringify(standard[name]))
    .map((name) => `${name}=${writeValue(name, state[name])}`)
    .join("&");
}

// Return the state that an address describes; unknown names are left out.
export function fromHash(hash) {
  const state = newState();
  for (const part of hash.replace(/^#/, "").split("&")) {
    const [name, text = ""] = part.split("=");
    if (name in state) {
      try { state[name] = readValue(name, text); } catch { /* a broken address keeps the default */ }
    }
  }
  return state;
}

// Return what the server has to know.
export function settingsOf(state) {
  return Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, state[name]]));
}
