// The path is checked as it is typed, by the rules that hold when the project is made.

const PAUSE_MS = 300;
const form = document.getElementById("new");
const place = form?.dataset.check;
const path = document.getElementById("path");
const name = document.getElementById("name");
const says = document.getElementById("path-says");
const slug = document.getElementById("slug");
let waiting = null;
let asked = 0;

function show(text, kind) {
  says.textContent = text;
  says.className = kind;
  path.setAttribute("aria-invalid", String(kind === "bad"));
}

async function check() {
  const mine = ++asked;
  if (!path.value) return show("", "");
  try {
    const answer = await fetch(`${place}?${new URLSearchParams({ path: path.value, name: name.value })}`, { credentials: "same-origin" });
    if (!answer.ok || answer.redirected || mine !== asked) return;
    const found = await answer.json();
    if (mine !== asked) return;
    show(found.problem || found.warning || `${found.path} can be a workspace.`, found.problem ? "bad" : found.warning ? "warn" : "ok");
    slug.textContent = found.slug ? `Its short name will be ${found.slug}.` : "";
    if (found.name && !found.problem) name.placeholder = found.name;
  } catch {
    // the hub is away for a moment: it checks again when the form is sent
  }
}

function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(check, PAUSE_MS);
}

if (place) {
  path.addEventListener("input", soon);
  name.addEventListener("input", soon);
  form.addEventListener("click", (event) => {
    const found = event.target.closest("[data-path]");
    if (!found) return;
    event.preventDefault();
    path.value = found.dataset.path;
    name.value = found.dataset.name;
    for (const other of form.querySelectorAll("[data-path]")) other.toggleAttribute("aria-current", other === found);
    found.setAttribute("aria-current", "true");
    check();
  });
  check();
}
