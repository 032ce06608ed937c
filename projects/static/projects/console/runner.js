/* One command at a time: run it, follow it, find it again. It runs on in the container whatever happens to this page. */

import { bytes, call } from "./api.js";
import { Connection } from "./connection.js";
import { duration } from "./text.js";

const ACK_BYTES = 32 * 1024;
const HEADER = 8;

export class Runner {
  #connection = null;
  #order = null; // sent, and not answered yet
  #run = null; // the id of the followed run
  #position = 0; // the last offset that the hub told
  #since = 0; // payload bytes taken after it
  #skip = 0; // payload bytes that come again after a reconnect
  #unconfirmed = 0;

  /* `on` has status(sentence, {bad, again}), active(bool), shows(run) and changed(): the list of runs is another one. */
  constructor({ slug, output, on }) {
    Object.assign(this, { slug, output, on });
  }

  get run() {
    return this.#run;
  }

  /* Run it. What was followed before goes on unseen. */
  start(order) {
    this.#leave();
    this.output.clear();
    this.#order = order;
    this.on.shows({ command: order.command });
    this.on.status("Starting.");
    this.on.active(true);
    this.#connect();
  }

  kill() {
    const sent = this.#connection?.send({ type: "kill" });
    this.on.status(sent ? "Killing it and everything it started." : "The hub cannot be reached, so the command was not killed; connect again.", { bad: !sent });
  }

  /* Show a run of the past, or go on with one that runs. */
  async open(id) {
    this.#leave();
    this.output.clear();
    this.#run = id;
    this.on.status("Reading its output.");
    try {
      const run = await call("GET", `commands/${id}`);
      if (this.#run !== id) return;
      this.on.shows(run);
      const { running, offset } = await this.#readTail(id);
      if (this.#run !== id) return;
      if (running) this.#follow(offset);
      else this.#ended(run);
    } catch (error) {
      if (this.#run === id) this.on.status(error.message, { bad: true });
    }
  }

  again() {
    if (this.#connection) this.#connection.again();
    else if (this.#run) this.open(this.#run);
  }

  async #readTail(id) {
    const { data, headers } = await bytes(`/projects/${this.slug}/runs/${id}/tail`);
    if (this.#run !== id) return {};
    if (headers.get("X-ContainerHub-Truncated") === "1") this.output.markCut();
    const view = new DataView(data.buffer);
    for (let at = 0; at + HEADER <= data.length; ) {
      const end = at + HEADER + view.getUint32(at + 4);
      this.output.add(data[at], data.subarray(at + HEADER, end));
      at = end;
    }
    return { running: headers.get("X-ContainerHub-State") === "running", offset: Number(headers.get("X-ContainerHub-Next-Offset")) };
  }

  // -- the connection

  #leave() {
    this.#connection?.end();
    this.#connection = this.#order = this.#run = null;
    this.#position = this.#since = this.#skip = this.#unconfirmed = 0;
  }

  #follow(offset) {
    this.#position = offset;
    this.on.status("Running.");
    this.on.active(true);
    this.#connect();
  }

  #connect() {
    this.#connection = new Connection(() => `/ws/projects/${this.slug}/commands/?ack=1`, {
      opened: () => this.#opened(),
      text: (message) => this.#message(message),
      bytes: (data) => this.#take(data),
      broken: () => this.#broken(),
      status: (text, more) => this.on.status(text, more),
    });
    this.#connection.open();
  }

  #opened() {
    this.#unconfirmed = 0;
    if (this.#order) {
      this.#connection.send({ type: "run", ...this.#order });
    } else {
      this.#skip = this.#since;
      this.#since = 0;
      this.#connection.send({ type: "attach", run_id: this.#run, offset: this.#position });
      this.on.status("Running.");
    }
  }

  /* An order that was sent and not answered may have been taken: it is never sent twice. */
  #broken() {
    if (!this.#order) return;
    this.#leave();
    this.on.active(false);
    this.on.changed();
    queueMicrotask(() => this.on.status("The connection broke before the hub answered; look in the list below whether the command runs, and run it again if not.", { bad: true }));
  }

  #message(message) {
    if (message.type === "started") this.#started(message);
    else if (message.type === "position") [this.#position, this.#since, this.#skip] = [message.offset, 0, 0];
    else if (message.type === "exit") this.#exit(message);
    else if (message.type === "error") this.#error(message);
  }

  #started({ run_id: id }) {
    if (!this.#order) return;
    const { command } = this.#order;
    this.#order = null;
    this.#run = id;
    this.on.shows({ id, command });
    this.on.status("Running. It goes on when this page is closed.");
    this.on.changed();
  }

  #take(data) {
    let payload = data.subarray(1);
    const size = payload.length;
    this.#since += size;
    if (this.#skip) {
      const known = Math.min(this.#skip, size);
      this.#skip -= known;
      payload = payload.subarray(known);
    }
    const connection = this.#connection;
    this.output.add(data[0], payload, () => {
      if (connection !== this.#connection) return;
      this.#unconfirmed += size;
      if (this.#unconfirmed < ACK_BYTES) return;
      connection.send({ type: "ack", bytes: this.#unconfirmed });
      this.#unconfirmed = 0;
    });
  }

  #exit(message) {
    const id = this.#run;
    this.#connection.end();
    this.#connection = null;
    this.#ended(message);
    this.on.changed();
    call("GET", `commands/${id}`).then((run) => {
      if (this.#run !== id) return;
      this.on.shows(run);
      this.on.status(ending(run), { bad: isBad(run) });
    }, () => { /* what the socket said stands */ });
  }

  #ended(run) {
    this.output.end();
    this.on.active(false);
    this.on.status(ending(run), { bad: isBad(run) });
  }

  #error({ message }) {
    const refused = this.#order !== null;
    if (refused) {
      this.#leave();
      this.on.active(false);
      this.on.shows(null);
    }
    this.on.status(message, { bad: true, again: !refused });
  }
}

const STATES = {
  running: "It runs.",
  finished: "It ended",
  timed_out: "It was ended at its timeout",
  killed: "It was killed",
  kill_failed: "Killing it failed, and something of it may still run",
  output_limit: "It was ended since its output grew too large",
  out_of_memory: "It was ended since memory ran out",
  connection_lost: "The connection to the Engine was lost, and how it ended is not known",
  interrupted: "The hub stopped while it ran, and how it ended is not known",
  failed: "It never started",
};

/* One sentence about how it ended. Never success unless an exit code of 0 says so. */
function ending({ state, exit_code: code, timed_out: late, killed, duration_seconds: seconds, message }) {
  const how = STATES[state ?? (killed ? "killed" : late ? "timed_out" : "finished")];
  const known = Number.isInteger(code) ? `, exit code ${code}` : state === "failed" ? "" : ", exit code not known";
  const span = typeof seconds === "number" ? `, after ${duration(seconds)}` : "";
  return `${how}${known}${span}.${message ? ` ${message}` : ""}`;
}

function isBad({ exit_code: code, state }) {
  return code !== 0 || (state !== undefined && state !== "finished");
}
