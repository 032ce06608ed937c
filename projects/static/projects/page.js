// What every page has: times that stay true, keys, copy buttons, toasts that leave, questions in a dialog.

import { renewTimes } from "./times.js";

const GO = { p: "projects", i: "images", a: "activity", s: "system" };
const TOAST_MS = 8000;
let before = "";

setInterval(renewTimes, 5000);

function typing(target) {
  return target.closest("input:not([type=checkbox]), textarea, select, [contenteditable], dialog, .xterm");
}

function rows() {
  return [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);
}

function step(by) {
  const all = rows();
  if (!all.length) return;
  const now = all.findIndex((row) => row.contains(document.activeElement));
  const next = all[Math.min(all.length - 1, Math.max(0, now + by))];
  next.querySelector("a")?.focus();
}

addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  const key = event.key;
  if (before === "g" && GO[key]) {
    const place = document.querySelector(`nav [data-place=${GO[key]}]`);
    if (place) location.href = place.href;
  } else if (key === "/") {
    const search = [...document.querySelectorAll("input[type=search]")].find((field) => field.offsetParent !== null);
    if (search) {
      event.preventDefault();
      search.focus();
    }
  } else if (key === "?") document.getElementById("keys").showModal();
  else if (key === "j") step(1);
  else if (key === "k") step(-1);
  else if (key === "x") document.activeElement?.closest("[data-row]")?.querySelector("input[type=checkbox]")?.click();
  before = key;
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = button.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied.");
  } catch {
    const box = document.createElement("textarea"); // on plain http there is no clipboard to write to
    box.value = text;
    document.body.append(box);
    box.select();
    toast(document.execCommand("copy") ? "Copied." : "The browser did not copy; select the text and copy it yourself.");
    box.remove();
  }
});

export function toast(text, kind = "success") {
  const item = document.createElement("li");
  item.className = kind;
  item.textContent = text;
  document.getElementById("messages").append(item);
  leave(item);
}

// Errors stay until they are closed; what went well leaves by itself.
function leave(item) {
  const close = document.createElement("button");
  close.type = "button";
  close.className = "close";
  close.setAttribute("aria-label", "Close this message");
  close.textContent = "×";
  close.addEventListener("click", () => item.remove());
  item.append(close);
  if (!item.classList.contains("error") && !item.classList.contains("warning")) setTimeout(() => item.remove(), TOAST_MS);
}

document.querySelectorAll("#messages > li").forEach(leave);
