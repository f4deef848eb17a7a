// The connection to the process that trains, and how its messages are read.

const decoder = new TextDecoder();

// Return header and arrays of a binary message; see _frames.py for its form.
export function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(decoder.decode(new Uint8Array(buffer, 4, length)));
  let start = 4 + length + ((4 - (length % 4)) % 4);
  const arrays = {};
  for (const { name, dtype, shape } of header.arrays) {
    const size = shape.reduce((a, b) => a * b, 1);
    arrays[name] = dtype === "float32" ? new Float32Array(buffer, start, size) : new Uint8Array(buffer, start, size);
    const bytes = arrays[name].byteLength;
    start += bytes + ((4 - (bytes % 4)) % 4);
  }
  return { header, arrays };
}

export class Connection {
  constructor(onMessage, onFrame, onState) {
    this.onMessage = onMessage; this.onFrame = onFrame; this.onState = onState;
    this.waiting = []; this.open();
  }

  open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const token = new URLSearchParams(location.search).get("token");
    this.socket = new WebSocket(`${scheme}://${location.host}/ws${token ? `?token=${encodeURIComponent(token)}` : ""}`);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => { this.onState(true); this.waiting.splice(0).forEach((text) => this.socket.send(text)); };
    this.socket.onclose = () => this.onState(false);
    this.socket.onmessage = (event) => {
      if (typeof event.data === "string") this.onMessage(JSON.parse(event.data));
      else this.onFrame(unpack(event.data));
    };
  }

  send(message) {
    const text = JSON.stringify(message);
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(text);
    else if (this.socket.readyState === WebSocket.CONNECTING) this.waiting.push(text);
  }
}
