/* What was typed, kept until the hub has taken it: after a broken connection it goes out again, and nothing is typed twice. */

const MOST_WAITING = 200;

export class Outbox {
  #pieces = []; // oldest first, none of them taken for sure
  #gone = 0; // how many of them went out, on whatever connection
  #taken = 0; // the hub's count
  #agreed = false; // on this connection the hub has said where it stands

  /* `send(piece)` puts it on the connection, and says false where that is not open. */
  constructor(send) {
    this.send = send;
    this.typist = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  /* While there is no connection only so much is kept as a person types. */
  add(piece) {
    if (!this.#agreed && this.#pieces.length >= MOST_WAITING) return;
    this.#pieces.push(piece);
    this.#flush();
  }

  broken() {
    this.#agreed = false;
  }

  clear() {
    this.#pieces = [];
    this.#gone = 0;
  }

  /* The hub has taken so many bytes. True when it does not remember this page, so that what went out may be lost, or taken. */
  taken({ bytes, known }) {
    const forgotten = !known && this.#gone > 0;
    if (known) this.#drop(bytes - this.#taken);
    else this.#pieces.splice(0, this.#gone);
    if (!this.#agreed) this.#gone = 0;
    this.#taken = bytes;
    this.#agreed = true;
    this.#flush();
    return forgotten;
  }

  #drop(bytes) {
    for (let rest = bytes; rest > 0 && this.#pieces.length; ) {
      const [first] = this.#pieces;
      if (first.length > rest) {
        this.#pieces[0] = first.subarray(rest);
        return;
      }
      rest -= first.length;
      this.#pieces.shift();
      this.#gone = Math.max(0, this.#gone - 1);
    }
  }

  #flush() {
    while (this.#agreed && this.#gone < this.#pieces.length && this.send(this.#pieces[this.#gone])) this.#gone++;
  }
}
