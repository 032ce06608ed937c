/* The commands that were run in the project: searched, opened again, used again. The list stands in the page already, without scripts. */

import { call } from "./api.js";
import { ago, duration } from "./text.js";

const el = (id) => document.getElementById(id);
const PAGE = 50;
const TYPING_DELAY = 200;

export class History {
  #commands = [];
  #next = null;
  #asked = 0;

  /* `on` has open(id) and use(command). */
  constructor({ slug, mayOperate, on }) {
    Object.assign(this, { slug, mayOperate, on, list: el("history"), words: el("history-words") });
    let timer = null;
    this.words.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.refresh(), TYPING_DELAY);
    });
    el("history-search").addEventListener("submit", (event) => {
      event.preventDefault();
      this.refresh();
    });
    this.list.addEventListener("click", (event) => this.#click(event));
    this.more = document.createElement("button");
    Object.assign(this.more, { type: "button", className: "quiet", textContent: "Older", hidden: true });
    this.more.addEventListener("click", () => this.refresh({ more: true }));
    this.list.after(this.more);
  }

  get last() {
    return this.#commands[0] ?? "";
  }

  async refresh({ more = false } = {}) {
    const asked = ++this.#asked;
    const words = this.words.value.trim();
    const query = new URLSearchParams({ limit: PAGE, q: words, ...(more && this.#next ? { cursor: this.#next } : {}) });
    try {
      const { items, next } = await call("GET", `projects/${this.slug}/commands?${query}`);
      if (asked !== this.#asked) return; // another search came meanwhile
      this.#next = next;
      this.#draw(items, more, words);
    } catch (error) {
      el("history-status").textContent = error.message;
    }
  }

  mark(id) {
    this.current = id;
    for (const item of this.list.children) {
      if (item.dataset.run === id) item.setAttribute("aria-current", "true");
      else item.removeAttribute("aria-current");
    }
  }

  #draw(items, more, words) {
    document.querySelector(".pages")?.remove();
    if (!more) this.list.replaceChildren();
    if (!words && !more) this.#commands = items.map((run) => run.command);
    this.list.append(...items.map((run) => this.#item(run)));
    this.more.hidden = !this.#next;
    el("history-status").textContent = this.list.children.length ? "" : words ? `No command holds “${words}”.` : "No command was run in this project yet.";
    this.mark(this.current);
  }

  #item(run) {
    const [item, link, code, facts] = ["li", "a", "code", "span"].map((name) => document.createElement(name));
    item.dataset.run = run.id;
    link.href = `?run=${run.id}`;
    code.textContent = run.command.length > 300 ? `${run.command.slice(0, 299)}…` : run.command;
    link.append(code);
    facts.className = "muted";
    facts.append(...describe(run));
    item.append(link, facts);
    if (this.mayOperate) {
      const again = document.createElement("button");
      Object.assign(again, { type: "button", className: "quiet", textContent: "Use again" });
      again.addEventListener("click", () => this.on.use(run));
      item.append(again);
    }
    return item;
  }

  #click(event) {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    this.on.open(link.closest("li").dataset.run);
  }
}

/* How it ended, how long it took, who ran it and when. */
export function describe(run) {
  const facts = [];
  if (run.state === "running") facts.push("running");
  else facts.push([run.state === "finished" ? "" : run.state.replaceAll("_", " "), Number.isInteger(run.exit_code) ? `exit code ${run.exit_code}` : ""].filter(Boolean).join(", "));
  if (typeof run.duration_seconds === "number") facts.push(duration(run.duration_seconds));
  facts.push(run.actor);
  const time = document.createElement("time");
  time.dateTime = time.title = run.started_at;
  time.textContent = ago(run.started_at);
  return [`${facts.join(" · ")} · `, time, ...(run.message ? [` · ${run.message}`] : [])];
}
