/* The console page: terminals above, commands below. */

import { copy } from "./console/copying.js";
import { curl, hubExec } from "./console/elsewhere.js";
import { History, describe } from "./console/history.js";
import { OutputView } from "./console/output.js";
import { keepPolicy } from "./console/policy.js";
import { Runner } from "./console/runner.js";
import { Terminals } from "./console/terminals.js";
import { load } from "./console/xterm.js";

const el = (id) => document.getElementById(id);
const page = el("console").dataset;
const place = { slug: page.slug, mayOperate: "mayOperate" in page, running: "running" in page };

let shown = {}; // the run whose result is shown: its command, workdir and timeout_seconds

const output = new OutputView({ place: el("output"), cut: el("cut"), none: el("no-output") });
const runner = new Runner({
  slug: place.slug,
  output,
  on: { status: sayRun, active: setActive, shows: showRun, changed: () => history.refresh() },
});
const history = new History({
  ...place,
  on: {
    open: (id) => runner.open(id),
    use: (run) => {
      el("command").value = run.command;
      el("workdir").value = run.workdir;
      el("timeout").value = run.timeout_seconds;
      el("command").focus();
    },
  },
});

// -- the command bar

function sayRun(text, { bad = false, again = false } = {}) {
  el("run-status").textContent = text;
  el("run-status").classList.toggle("bad", Boolean(bad));
  el("run-again").hidden = !again;
}

function setActive(active) {
  el("kill").disabled = !(active && place.mayOperate);
}

/* What the result is of, and an address that leads back to it. */
function showRun(run) {
  el("result").hidden = !run;
  if (!run) return;
  shown = { ...("state" in run ? {} : shown), ...run };
  el("ran-command").textContent = run.command;
  el("ran-facts").replaceChildren(...("state" in run ? describe(run) : []));
  for (const id of ["copy", "copy-exec", "copy-curl", "repeat"]) el(id).hidden = false;
  el("download").hidden = !run.id;
  if (!run.id) return;
  el("download").href = `/projects/${place.slug}/runs/${run.id}/output.txt`;
  const address = new URL(location.href);
  address.search = new URLSearchParams({ run: run.id });
  window.history.replaceState(null, "", address);
  history.mark(run.id);
  setActive(run.state === "running" || !("state" in run));
}

function order({ command, workdir, timeout_seconds: timeout }) {
  shown = { workdir, timeout_seconds: timeout };
  runner.start({ command, workdir, timeout });
}

el("order").addEventListener("submit", (event) => {
  event.preventDefault();
  const command = el("command").value;
  if (!command.trim()) return;
  order({ command, workdir: el("workdir").value.trim() || "/workspace", timeout_seconds: Number(el("timeout").value) || null });
  el("command").value = "";
});
el("command").addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    el("order").requestSubmit();
  } else if (event.key === "ArrowUp" && !el("command").value && history.last) {
    event.preventDefault();
    el("command").value = history.last;
  }
});
el("kill").addEventListener("click", () => runner.kill());
el("run-again").addEventListener("click", () => runner.again());

// -- what can be done with the result

function onCopy(id, text, done) {
  el(id).addEventListener("click", () => copy(text()).then(() => sayRun(done), (error) => sayRun(error.message, { bad: true })));
}

onCopy("copy", () => output.text, "The output is copied.");
onCopy("copy-exec", () => hubExec(place.slug, shown), "Copied as hub exec, for a shell on this hub's machine.");
onCopy("copy-curl", () => curl(place.slug, shown), "Copied as curl; put an API token into TOKEN (your account's tokens) where you run it.");
el("repeat").addEventListener("click", () => order(shown));

// -- the beginning

if (place.mayOperate) for (const id of ["command", "workdir", "timeout", "run", "repeat"]) el(id).disabled = false;
history.refresh();
if (page.run) runner.open(page.run);
if (page.assetXterm) {
  keepPolicy(el("console-style").nonce);
  try {
    await load(page);
    await new Terminals(place).start();
  } catch (error) {
    console.warn(error);
    const problem = Object.assign(document.createElement("p"), { className: "notice bad", role: "alert" });
    problem.textContent = "The terminal could not be loaded; reload the page, and set the hub up again (make up) if that does not help.";
    el("terminals").before(problem);
  }
}
