/* A log that is followed: new lines come each second; who scrolls up is left in peace and told how many came. */

import "./questions.js";

const SECOND_MS = 1000;
const AWAY_MS = 5000;
const TELL_MS = 5000;
const MOST_LINES = 5000;
const NEAR = 24;
const log = document.getElementById("log");
const status = document.getElementById("logs-status");
const follow = document.getElementById("follow");
const more = document.getElementById("new-lines");
const search = document.getElementById("q");
const stamps = document.getElementById("stamps");
const wrap = document.getElementById("wrap");
const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])/g;
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f]/g;
const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z) ?/;

let following = true;
let unseen = 0;
let last = log.lastElementChild?.dataset.at ?? "";
let lastCount = [...log.children].filter((line) => line.dataset.at === last).length;
let dropped = false;
let toldAt = 0;
let wasProblem = false;

const words = () => search.value;
const atEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;

function mark(line) {
  const text = line.querySelector(".text");
  const plain = text.textContent;
  const needle = words().toLowerCase();
  const parts = [];
  let position = 0;
  const lower = plain.toLowerCase();
  // A few letters change their length with their case: then nothing can be marked at the right place.
  for (let at; needle && lower.length === plain.length && (at = lower.indexOf(needle, position)) >= 0; position = at + needle.length) {
    parts.push(plain.slice(position, at));
    const found = document.createElement("mark");
    found.textContent = plain.slice(at, at + needle.length);
    parts.push(found);
  }
  line.classList.toggle("found", parts.length > 0);
  if (parts.length || text.childElementCount) text.replaceChildren(...parts, plain.slice(position));
}

function made(raw) {
  const stamp = STAMP.exec(raw);
  const line = document.createElement("div");
  line.className = "line";
  line.dataset.at = stamp?.[1] ?? "";
  const at = document.createElement("span");
  at.className = "stamp";
  at.textContent = `${line.dataset.at.slice(0, 23)} `;
  const text = document.createElement("span");
  text.className = "text";
  text.textContent = raw.slice(stamp?.[0].length ?? 0).replace(ESCAPES, "").replace(CONTROLS, "");
  line.append(at, text);
  if (words()) mark(line);
  return line;
}

/* Asked from the last line's time on, so those of that very time come again: they are passed over. */
function fresh(text) {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  let skip = lastCount;
  return lines.filter((line) => {
    const at = STAMP.exec(line)?.[1] ?? "";
    if (last && at && at < last) return false;
    if (last && at === last && skip > 0) {
      skip -= 1;
      return false;
    }
    return true;
  });
}

function add(lines) {
  const stay = !following || !atEnd();
  document.getElementById("no-lines").hidden = true;
  log.append(...lines.map(made));
  for (const raw of lines) {
    const at = STAMP.exec(raw)?.[1] ?? last;
    lastCount = at === last ? lastCount + 1 : 1;
    last = at;
  }
  while (log.childElementCount > MOST_LINES) {
    log.firstElementChild.remove();
    dropped = true;
  }
  if (stay) {
    unseen += lines.length;
    more.textContent = `${unseen} new line${unseen === 1 ? "" : "s"}`;
    more.hidden = false;
  } else log.scrollTop = log.scrollHeight;
}

/* Not at each line: the sentence is read out. */
function tell(problem = "", { atOnce = Boolean(problem) } = {}) {
  if (!atOnce && !wasProblem && Date.now() - toldAt < TELL_MS) return;
  toldAt = Date.now();
  wasProblem = Boolean(problem);
  const lines = log.childElementCount;
  const many = `${lines} line${lines === 1 ? "" : "s"}`;
  const found = log.querySelectorAll(".line.found").length;
  const rest = dropped ? " These are the last; download the log for the rest." : "";
  const text = problem || (words() ? `${found} of ${many} hold “${words()}”.${rest}` : `${many}.${rest}`);
  if (status.textContent !== text) status.textContent = text;
}

async function look() {
  const query = new URLSearchParams(last ? { since: last } : {});
  const answer = await fetch(`more.json?${query}`, { credentials: "same-origin" });
  if (!answer.ok || answer.redirected) throw new Error();
  const { text, problem, cut } = await answer.json();
  const lines = fresh(text);
  if (cut && lines.length) lines.unshift("… more was printed than could be followed; download the log to read it …");
  if (lines.length) add(lines);
  tell(problem);
  return problem ? AWAY_MS : SECOND_MS;
}

async function loop() {
  for (;;) {
    let wait = SECOND_MS;
    if (following && !document.hidden) {
      try {
        wait = await look();
      } catch {
        tell("The hub does not answer; trying again.");
        wait = AWAY_MS;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

function toEnd() {
  unseen = 0;
  more.hidden = true;
  log.scrollTop = log.scrollHeight;
}

log.addEventListener("scroll", () => {
  if (atEnd()) {
    unseen = 0;
    more.hidden = true;
  }
});
more.addEventListener("click", () => {
  toEnd();
  log.focus();
});
follow.addEventListener("click", () => {
  following = !following;
  follow.setAttribute("aria-pressed", String(following));
  if (following) toEnd();
});
stamps.addEventListener("change", () => {
  log.classList.toggle("stamps", stamps.checked);
  const link = document.getElementById("download");
  const place = new URL(link.href);
  if (stamps.checked) place.searchParams.set("stamps", "1");
  else place.searchParams.delete("stamps");
  link.href = place.href;
});
wrap.addEventListener("change", () => log.classList.toggle("wrap", wrap.checked));
search.addEventListener("input", () => {
  for (const line of log.children) mark(line);
  tell("", { atOnce: true });
});
document.getElementById("logs-form").addEventListener("submit", (event) => {
  if (document.activeElement !== search) return; // another count or time is a page of its own
  event.preventDefault();
  const found = [...log.querySelectorAll(".line.found")];
  const here = log.scrollTop;
  const next = found.find((line) => line.offsetTop - log.offsetTop > here + 4) ?? found[0];
  if (next) log.scrollTop = next.offsetTop - log.offsetTop;
});
for (const id of ["lines", "since"]) document.getElementById(id).addEventListener("change", (event) => event.target.form.submit());

follow.hidden = false;
document.getElementById("show").hidden = true;
toEnd();
loop();
