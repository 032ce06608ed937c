// The page's one websocket: htmx swaps what it brings. Here: whether it is there, and what to do while it is not.

import { renewTimes } from "./times.js";

const POLL_MS = 15000;
const mark = document.getElementById("live-mark");
let polling = null;

function show(kind, words) {
  mark.hidden = false;
  mark.className = `live ${kind}`;
  if (mark.textContent !== words) mark.textContent = words;
}

async function poll() {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href, { credentials: "same-origin", headers: { Accept: "text/html" } });
    if (answer.redirected) return location.reload(); // signed out meanwhile
    if (!answer.ok) return;
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of next.querySelectorAll("[data-live]")) {
      if (document.getElementById(part.id)) htmx.swap({ sourceElement: document.body, target: `#${part.id}`, swap: "outerMorph", text: part.outerHTML });
    }
  } catch {
    // the hub is away: the mark says so
  }
}

function lost() {
  polling ??= setInterval(poll, POLL_MS);
}

if (!globalThis.htmx) show("off", "Not live: reload the page");
document.addEventListener("htmx:ws:after:connection", () => {
  clearInterval(polling);
  polling = null;
  show("on", "Live");
});
document.addEventListener("htmx:ws:close", (event) => {
  if (event.detail.reason === "removed") return;
  const code = event.detail.code;
  if (code === 4401) show("off", "Signed out: reload the page");
  else if (code === 4404) show("off", "Nothing live here");
  else {
    if (!document.hidden) show("off", "Reconnecting");
    lost();
  }
});
document.addEventListener("htmx:ws:before:message:incoming", (event) => {
  const data = event.detail.message.data;
  if (typeof data === "string" && data.startsWith('{"type": "reload"')) location.reload();
});
document.addEventListener("htmx:ws:after:message:incoming", renewTimes);
