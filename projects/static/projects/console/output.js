/* A command's output in the page: text nodes, streams apart, and only so much of it that the page stays quick. */

import { PlainText } from "./text.js";

const MOST_CHARACTERS = 500_000;
const PART_CHARACTERS = 32_000;
const STREAMS = { 1: "stdout", 2: "stderr" };

export class OutputView {
  #plain = {};
  #waiting = [];
  #parts = [];
  #shown = 0;
  #frame = null;

  constructor({ place, cut, none }) {
    Object.assign(this, { place, cut, none });
  }

  clear() {
    this.#plain = { 1: new PlainText(), 2: new PlainText() };
    this.#waiting = [];
    this.#parts = [];
    this.#shown = 0;
    this.place.replaceChildren();
    this.cut.hidden = this.none.hidden = true;
  }

  /* `drawn` is called when it stands in the page. */
  add(stream, bytes, drawn = () => {}) {
    this.#put(stream, this.#plain[stream].take(bytes), drawn);
  }

  /* Nothing follows any more. */
  end() {
    for (const stream of [1, 2]) this.#put(stream, this.#plain[stream].end(), () => {});
    this.#flush();
    this.none.hidden = this.#parts.length > 0;
  }

  markCut() {
    this.cut.hidden = false;
  }

  get text() {
    return this.#parts.map(({ text }) => text.data).join("");
  }

  #put(stream, text, drawn) {
    this.#waiting.push([stream, text, drawn]);
    // A page in the background draws no frames, but has to go on taking.
    this.#frame ??= document.hidden ? setTimeout(() => this.#flush(), 50) : requestAnimationFrame(() => this.#flush());
  }

  #flush() {
    this.#frame = null;
    const follow = this.place.scrollTop + this.place.clientHeight >= this.place.scrollHeight - 24;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const [stream, text] of waiting) if (text) this.#append(stream, text);
    this.#trim();
    if (follow) this.place.scrollTop = this.place.scrollHeight;
    for (const [, , drawn] of waiting) drawn();
  }

  #append(stream, text) {
    let last = this.#parts.at(-1);
    if (!last || last.stream !== stream || last.text.length > PART_CHARACTERS) {
      last = this.#part(stream);
      this.#parts.push(last);
    }
    last.text.appendData(text);
    this.#shown += text.length;
  }

  #part(stream) {
    const [part, pre, text] = [document.createElement("div"), document.createElement("pre"), document.createTextNode("")];
    part.className = `part ${STREAMS[stream]}`;
    if (stream === 2) {
      const mark = document.createElement("span");
      mark.className = "mark";
      mark.textContent = "stderr";
      part.append(mark);
    }
    pre.append(text);
    part.append(pre);
    this.place.append(part);
    return { stream, part, text };
  }

  #trim() {
    let gone = 0;
    while (this.#shown > MOST_CHARACTERS && this.#parts.length > gone + 1) {
      this.#shown -= this.#parts[gone].text.length;
      this.#parts[gone++].part.remove();
    }
    this.#parts.splice(0, gone);
    const [first] = this.#parts;
    if (this.#shown > MOST_CHARACTERS) {
      first.text.deleteData(0, this.#shown - MOST_CHARACTERS);
      this.#shown = MOST_CHARACTERS;
      gone++;
    }
    if (gone) this.markCut();
  }
}
