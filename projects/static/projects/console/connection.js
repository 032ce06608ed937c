/* A websocket that comes back: after 0.5, 1, 2, 4 and 8 seconds, then when it is asked to. */

const DELAYS = [500, 1000, 2000, 4000, 8000];
const REFUSED = {
  4400: "The hub did not understand this page; reload it.",
  4401: "You are signed out; sign in again, then reload this page.",
  4404: "There is no such project, or you are no longer a member of it; ask its owner.",
};

export class Connection {
  #socket = null;
  #timer = null;
  #attempt = 0;
  #ended = false;
  #lastError = "";

  /* `address()` gives the path; `on` has opened(), text(message), bytes(Uint8Array), broken() and
     status(sentence, {bad, again}), where `again` says that only a button goes on. */
  constructor(address, on) {
    this.address = address;
    this.on = on;
    this.wake = () => this.#timer !== null && this.open();
    window.addEventListener("online", this.wake);
  }

  open() {
    clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#ended || this.#socket) return;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}${this.address()}`);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#lastError = "";
    socket.addEventListener("open", () => this.#current(socket) && this.on.opened());
    socket.addEventListener("message", (event) => this.#current(socket) && this.#receive(event.data));
    socket.addEventListener("close", (event) => this.#current(socket) && this.#closed(event.code));
  }

  again() {
    this.rest();
    this.open();
  }

  /* Closed until `again`. */
  rest() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#attempt = 0;
    this.#socket?.close();
    this.#socket = null;
  }

  /* What was sent has gone out only if this says true. */
  send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(message instanceof Uint8Array ? message : JSON.stringify(message));
    return true;
  }

  end() {
    this.#ended = true;
    this.rest();
    window.removeEventListener("online", this.wake);
  }

  #current(socket) {
    return socket === this.#socket;
  }

  #receive(data) {
    if (data instanceof ArrayBuffer) {
      this.#attempt = 0;
      this.on.bytes(new Uint8Array(data));
      return;
    }
    const message = JSON.parse(data);
    if (message.type === "error") this.#lastError = message.message;
    else this.#attempt = 0;
    this.on.text(message);
  }

  #closed(code) {
    this.#socket = null;
    this.on.broken();
    if (this.#ended) return;
    if (code in REFUSED) {
      this.on.status(this.#lastError || REFUSED[code], { bad: true, again: true });
    } else if (this.#attempt < DELAYS.length) {
      const delay = DELAYS[this.#attempt++];
      this.#timer = setTimeout(() => this.open(), delay);
      this.on.status(`The connection broke; trying again in ${delay / 1000} s.`, { bad: true });
    } else {
      this.on.status("The hub cannot be reached. What runs in the container goes on; check the hub, then connect again.", { bad: true, again: true });
    }
  }
}
