/* One terminal session: its screen, its keys, and its connection. */

import { Connection } from "./connection.js";
import { Outbox } from "./outbox.js";
import { ask } from "./question.js";
import { settings } from "./settings.js";
import { pieces } from "./text.js";
import { makeTerminal } from "./xterm.js";

const ACK_BYTES = 32 * 1024;
const RESIZE_DELAY = 100;
const MOST_SHOWN = 2000;

export class TerminalTab {
  #unconfirmed = 0;
  #visit = 0;
  #outbox = new Outbox((piece) => this.#connection.send(piece));
  #doubt = false;
  #sent = "";
  #timer = null;
  #control = false;
  #screen = null;
  #connection = null;

  /* `changed()` is called whenever `status` changes, `left()` when the keyboard's way out is taken, `find()` when the keyboard
     asks for the search, `found(result)` when that has looked. */
  constructor({ slug, name, panel, watchOnly, changed, left, find, found }) {
    Object.assign(this, { slug, name, panel, watchOnly, changed, left, find, found });
    this.status = { text: "", bad: false, again: false };
    this.onControl = () => {};
  }

  get terminal() {
    return this.#screen?.terminal;
  }

  get search() {
    return this.#screen?.search;
  }

  /* Draw it, and connect the first time. Its panel must be visible, since it takes its size from it. */
  show() {
    if (!this.#screen) this.#build();
    this.fit();
  }

  focus() {
    this.terminal?.focus();
  }

  /* Take the panel's size, and tell the hub when it is another one. */
  fit() {
    if (!this.#screen || !this.panel.offsetParent) return;
    this.#screen.fit.fit();
    this.#tellSize();
  }

  again() {
    this.#connection.again();
  }

  end() {
    clearTimeout(this.#timer);
    this.sizes?.disconnect();
    this.#connection?.end();
    this.terminal?.dispose();
  }

  /* A key of the key bar. */
  press(key) {
    if (key === "Control") this.#setControl(!this.#control);
    else this.#type({ Escape: "\x1b", Tab: "\t" }[key] ?? this.#arrow(key));
    this.focus();
  }

  // -- the screen

  #build() {
    this.#screen = makeTerminal({ watchOnly: this.watchOnly });
    const terminal = this.terminal;
    terminal.open(this.panel);
    terminal.textarea.setAttribute("aria-label", `Terminal ${this.name}. Ctrl+Shift+F6 leaves it.`);
    terminal.attachCustomKeyEventHandler((event) => this.#ownKey(event));
    this.search.onDidChangeResults((result) => this.found(result));
    terminal.onData((text) => this.#type(text));
    terminal.onBinary((text) => this.watchOnly || this.#outbox.add(Uint8Array.from(text, (character) => character.charCodeAt(0))));
    this.panel.addEventListener("paste", (event) => this.#paste(event), { capture: true });
    this.sizes = new ResizeObserver(() => this.#sizeSoon());
    this.sizes.observe(this.panel);
    this.#screen.fit.fit();
    this.#connect();
  }

  #sizeSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.fit(), RESIZE_DELAY);
  }

  #tellSize() {
    const { cols, rows } = this.terminal;
    if (this.#sent === `${cols}x${rows}` || this.watchOnly) return;
    if (this.#connection.send({ type: "resize", cols, rows })) this.#sent = `${cols}x${rows}`;
  }

  // -- the keyboard

  #ownKey(event) {
    if (event.key === "F6" && event.ctrlKey && event.shiftKey) {
      event.preventDefault();
      if (event.type === "keydown") this.left();
      return false;
    }
    if (event.key.toLowerCase() === "f" && event.ctrlKey && event.shiftKey) {
      event.preventDefault();
      if (event.type === "keydown") this.find();
      return false;
    }
    if (event.key === "Enter" && event.shiftKey && !event.ctrlKey && !event.altKey) {
      event.preventDefault();
      if (event.type === "keydown") this.#type("\x1b\r");
      return false;
    }
    if (this.watchOnly && event.key === " ") event.preventDefault(); // it would scroll the page, and the terminal out of sight
    return true;
  }

  #type(text) {
    if (this.watchOnly) return;
    if (this.#control) {
      if (/^[a-z@[\\\]^_ ]$/i.test(text)) text = String.fromCharCode(text.toUpperCase().charCodeAt(0) & 0x1f);
      this.#setControl(false);
    }
    if (this.status.again) return; // nobody is there, and the page says so
    for (const piece of pieces(text)) this.#outbox.add(piece);
  }

  #setControl(on) {
    this.#control = on;
    this.onControl(on);
  }

  #arrow(key) {
    const letter = { ArrowUp: "A", ArrowDown: "B", ArrowRight: "C", ArrowLeft: "D" }[key];
    return `\x1b${this.terminal.modes.applicationCursorKeysMode ? "O" : "["}${letter}`;
  }

  async #paste(event) {
    event.preventDefault();
    event.stopPropagation();
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (!text || this.watchOnly) return;
    const lines = text.split(/\r\n|\r|\n/).length;
    const agreed = lines === 1 || await ask({
      title: `Paste ${lines} lines?`,
      text: `They go to the terminal ${this.name}; a shell may run each of them at once.`,
      detail: text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}\n…` : text,
      yes: "Paste",
    });
    if (!agreed) return;
    this.terminal.paste(text);
    this.focus();
  }

  // -- the connection

  #connect() {
    this.#connection = new Connection(() => this.#address(), {
      opened: () => this.#opened(),
      text: (message) => this.#message(message),
      bytes: (data) => this.#draw(data),
      broken: () => this.#broken(),
      status: (text, more) => this.#say(text, more),
    });
    this.#say("Connecting.");
    this.#connection.open();
  }

  #address() {
    const { cols, rows } = this.terminal;
    this.#sent = `${cols}x${rows}`;
    const query = new URLSearchParams({ session: this.name, cols, rows, ack: 1, ...(this.watchOnly ? {} : { typist: this.#outbox.typist }) });
    return `/ws/projects/${this.slug}/terminal/?${query}`;
  }

  #opened() {
    this.#visit++;
    this.#unconfirmed = 0;
    this.#outbox.broken(); // what stands on the connection before is not known until the hub says so
    this.#say("Connected; waiting for the terminal.");
  }

  #broken() {
    this.#sent = "";
    this.#outbox.broken();
  }

  #message(message) {
    if (message.type === "taken") {
      this.#doubt = this.#outbox.taken(message) || this.#doubt;
    } else if (message.type === "ready") {
      // The session draws its whole screen for whoever comes, so nothing of the old one is to stay. In its turn, behind what waits.
      this.terminal.write("\x1bc");
      this.#say(message.persistent === false
        ? "Connected. This image has no tmux, so the shell ends with this page."
        : this.watchOnly ? "Connected. You watch; typing needs the operator role."
        : this.#doubt ? "Connected. The hub was restarted meanwhile; look whether what you typed last arrived." : "Connected.");
      this.#doubt = false;
      this.fit();
    } else if (message.type === "exit") {
      const code = message.exit_code;
      this.#connection.rest();
      this.#say(`The shell ended${Number.isInteger(code) ? ` with status ${code}` : ""}; connect again for a new one.`, { again: true });
    } else if (message.type === "error") {
      // The hub goes on trying by itself while the socket is open.
      this.#say(message.message, { bad: true, stopped: /not running/i.test(message.message) });
    }
  }

  #draw(data) {
    const visit = this.#visit;
    this.terminal.write(data, () => {
      if (visit !== this.#visit) return; // a connection that is gone needs no confirmation
      this.#unconfirmed += data.length;
      if (this.#unconfirmed < ACK_BYTES) return;
      this.#connection.send({ type: "ack", bytes: this.#unconfirmed });
      this.#unconfirmed = 0;
    });
  }

  #say(text, more = {}) {
    this.status = { text, bad: false, again: false, stopped: false, ...more };
    if (this.status.again) this.#outbox.clear();
    this.changed();
  }

  apply(options) {
    Object.assign(this.terminal?.options ?? {}, options);
    if (this.terminal) this.terminal.options.fontSize = settings.fontSize;
    this.fit();
  }
}
