/* The tabs: one for each terminal session of the project. The sessions live in the container, so a reload finds them again. */

import { call } from "./api.js";
import { ask } from "./question.js";
import { remember, settings } from "./settings.js";
import { TerminalTab } from "./terminal.js";
import { marks, onThemeChange, theme } from "./theme.js";

const NAME = /^[A-Za-z0-9_-]{1,32}$/;
const el = (id) => document.getElementById(id);

export class Terminals {
  #tabs = new Map();
  #active = null;

  constructor({ slug, mayOperate, running }) {
    Object.assign(this, { slug, mayOperate, running, path: `projects/${slug}/terminals` });
    this.section = el("terminals");
    this.#listen();
  }

  /* Show the sessions that there are; an operator gets `main` where there is none. */
  async start() {
    this.section.hidden = false;
    let names = [];
    let problem = "";
    try {
      names = (await call("GET", this.path)).items.map((item) => item.name);
    } catch (error) {
      problem = error.message;
    }
    if (!names.length && this.mayOperate) names = ["main"];
    names.forEach((name) => this.#add(name));
    const wanted = this.#remembered();
    if (names.length) this.activate(names.includes(wanted) ? wanted : names[0]);
    else this.#say(problem || "No terminal is open in this project. When an operator opens one, reload to watch it.", Boolean(problem));
  }

  activate(name, { focus = false } = {}) {
    this.#active = name;
    for (const [other, { tab, button }] of this.#tabs) {
      const chosen = other === name;
      button.setAttribute("aria-selected", String(chosen));
      button.tabIndex = chosen ? 0 : -1;
      tab.panel.hidden = !chosen;
    }
    try {
      sessionStorage.setItem(`console:${this.slug}`, name);
    } catch { /* then a reload begins with the first */ }
    this.#current.show();
    if (focus) this.#current.focus();
    this.#status();
  }

  get #current() {
    return this.#tabs.get(this.#active)?.tab;
  }

  #remembered() {
    try {
      return sessionStorage.getItem(`console:${this.slug}`);
    } catch {
      return null;
    }
  }

  // -- opening, renaming, closing

  #add(name) {
    const button = document.createElement("button");
    const panel = document.createElement("div");
    button.type = "button";
    button.role = "tab";
    button.textContent = button.title = name;
    button.id = `tab-${name}`;
    panel.id = `panel-${name}`;
    panel.role = "tabpanel";
    panel.hidden = true;
    panel.setAttribute("aria-labelledby", button.id);
    button.setAttribute("aria-controls", panel.id);
    el("tabs").append(button);
    el("panels").append(panel);
    const tab = new TerminalTab({
      slug: this.slug,
      name,
      panel,
      watchOnly: !this.mayOperate,
      changed: () => this.#status(),
      left: () => this.#tabs.get(this.#active)?.button.focus(),
      find: () => this.#find(true),
      found: (result) => this.#found(result),
    });
    tab.onControl = (on) => el("key-bar").querySelector('[data-key="Control"]').setAttribute("aria-pressed", String(on));
    button.addEventListener("click", () => this.activate(tab.name, { focus: true }));
    button.addEventListener("keydown", (event) => this.#tabKey(event));
    this.#tabs.set(name, { tab, button });
  }

  #remove(name) {
    const { tab, button } = this.#tabs.get(name);
    this.#tabs.delete(name);
    tab.end();
    tab.panel.remove();
    button.remove();
  }

  async #open() {
    let number = this.#tabs.size + 1;
    while (this.#tabs.has(`shell-${number}`)) number++;
    const name = `shell-${number}`;
    await this.#try(async () => {
      await call("POST", this.path, { name });
      this.#add(name);
      this.activate(name, { focus: true });
    });
  }

  async #rename() {
    const from = this.#active;
    const to = await ask({ title: `Rename ${from}`, text: "Letters, digits, - and _; at most 32.", field: "New name", value: from, yes: "Rename" });
    if (!to || to === from) return;
    if (!NAME.test(to) || this.#tabs.has(to)) {
      this.#say(this.#tabs.has(to) ? `There is a terminal ${to} already; choose another name.` : "A name is made of letters, digits, - and _, at most 32; choose another.", true);
      return;
    }
    await this.#try(async () => {
      await call("PATCH", `${this.path}/${encodeURIComponent(from)}`, { name: to });
      this.#remove(from);
      this.#add(to);
      this.activate(to, { focus: true });
    });
  }

  async #close() {
    const name = this.#active;
    const agreed = await ask({ title: `Close the terminal ${name}?`, text: "Its shell and every program that runs in it end. The files in the workspace stay.", yes: "Close it" });
    if (!agreed) return;
    await this.#try(async () => {
      await call("DELETE", `${this.path}/${encodeURIComponent(name)}`);
      this.#remove(name);
      const [next] = this.#tabs.keys();
      this.#active = null;
      if (next) this.activate(next, { focus: true });
      else this.#say(`The terminal ${name} is closed. New opens another.`);
    });
  }

  async #startContainer() {
    el("container-start").disabled = true;
    this.#say("Starting the container.");
    await this.#try(async () => {
      await call("POST", `projects/${this.slug}/ensure-container`);
      this.#say("The container runs.");
      this.#current?.again();
    });
    el("container-start").disabled = false;
  }

  async #try(act) {
    try {
      await act();
    } catch (error) {
      this.#say(error.message, true);
    }
  }

  // -- what is happening

  #status() {
    const { text, bad, again, stopped } = this.#current?.status ?? { text: "" };
    this.#say(text, bad);
    el("terminal-again").hidden = !again;
    if (el("container-start")) el("container-start").hidden = !stopped;
    for (const id of ["terminal-rename", "terminal-close"]) el(id).disabled = !this.mayOperate || !this.#current;
    el("find-history").hidden = !this.#current;
    el("find-history").href = `/api/${this.path}/${this.#active}/history`;
  }

  #say(text, bad = false) {
    el("terminal-status").textContent = text;
    el("terminal-status").classList.toggle("bad", Boolean(bad));
  }

  // -- keys, buttons, settings

  #listen() {
    const on = (id, act) => el(id)?.addEventListener("click", act);
    on("terminal-new", () => this.#open());
    on("terminal-rename", () => this.#active && this.#rename());
    on("terminal-close", () => this.#active && this.#close());
    on("terminal-again", () => this.#current?.again());
    on("container-start", () => this.#startContainer());
    on("font-smaller", () => this.#font(-1));
    on("font-larger", () => this.#font(1));
    on("terminal-full", () => this.#fullScreen());
    on("terminal-find", () => this.#find(el("find").hidden));
    on("find-end", () => this.#find(false));
    on("find-previous", () => this.#current?.search.findPrevious(el("find-words").value, { decorations: marks() }));
    el("find").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#current?.search.findNext(el("find-words").value, { decorations: marks() });
    });
    el("find").addEventListener("keydown", (event) => event.key === "Escape" && this.#find(false));
    for (const key of el("key-bar").querySelectorAll("button")) {
      key.addEventListener("pointerdown", (event) => event.preventDefault()); // the terminal keeps the focus and the keyboard
      key.addEventListener("click", () => this.#current?.press(key.dataset.key));
    }
    this.#switch("screen-reader", "screenReader", (on) => ({ screenReaderMode: on }));
    this.#switch("let-clipboard", "clipboard", () => ({}));
    onThemeChange(() => this.#apply({ theme: theme() }));
    document.addEventListener("fullscreenchange", () => {
      el("terminal-full").setAttribute("aria-pressed", String(document.fullscreenElement === this.section));
      this.#current?.focus();
    });
  }

  #switch(id, name, options) {
    el(id).checked = settings[name];
    el(id).addEventListener("change", () => {
      remember({ [name]: el(id).checked });
      this.#apply(options(el(id).checked));
    });
  }

  #font(step) {
    remember({ fontSize: Math.min(32, Math.max(8, settings.fontSize + step)) });
    this.#apply({});
    this.#say(`Letters of ${settings.fontSize} pixels.`);
  }

  #apply(options) {
    for (const { tab } of this.#tabs.values()) tab.apply(options);
  }

  #find(open) {
    el("find").hidden = !open;
    if (open) el("find-words").focus();
    else {
      this.#current?.search.clearDecorations();
      this.#current?.focus();
    }
  }

  #found({ resultIndex: at, resultCount: count }) {
    if (el("find").hidden || !el("find-words").value) return;
    this.#say(count ? `Found: ${at + 1} of ${count} on the screen.` : "It is not on the screen; look into the whole history.");
  }

  async #fullScreen() {
    if (document.fullscreenElement) return document.exitFullscreen();
    try {
      await this.section.requestFullscreen();
      await navigator.keyboard?.lock?.(["Escape"]); // so that Esc reaches vim; holding it leaves
    } catch {
      this.#say("This browser does not let a page fill the screen.", true);
    }
  }

  #tabKey(event) {
    const names = [...this.#tabs.keys()];
    const at = names.indexOf(this.#active);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: names.length - 1 }[event.key];
    if (event.key === "ArrowDown") this.#current?.focus();
    else if (to !== undefined) {
      this.activate(names[(to + names.length) % names.length]);
      this.#tabs.get(this.#active).button.focus();
    } else return;
    event.preventDefault();
  }
}
