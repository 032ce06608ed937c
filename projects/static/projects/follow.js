// A part of the page that goes on (data-follow: how often, in ms) is fetched anew until it no longer says so.
"use strict";

const followed = new WeakSet();

function follow(part) {
  const pause = Number(part.dataset.follow);
  if (!pause) return void followed.delete(part);
  followed.add(part);
  setTimeout(() => renew(part, pause), document.hidden ? pause * 4 : pause);
}

async function renew(part, pause) {
  let next = null;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" });
    if (answer.redirected) return location.reload(); // signed out meanwhile
    if (answer.ok) next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(part.id);
  } catch {
    // the hub is away for a moment: asked again below
  }
  if (!next) {
    setTimeout(() => renew(part, pause), pause * 2);
    return;
  }
  const focused = part.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  const scrolled = [...part.querySelectorAll("pre")].map((box) => box.scrollTop + box.clientHeight >= box.scrollHeight - 4);
  part.replaceChildren(...next.childNodes);
  if ("follow" in next.dataset) part.dataset.follow = next.dataset.follow;
  else delete part.dataset.follow;
  if (focused) part.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
  part.querySelectorAll("pre").forEach((box, index) => { if (scrolled[index] !== false) box.scrollTop = box.scrollHeight; });
  follow(part);
}

document.querySelectorAll("[data-follow]").forEach(follow);
// A part may begin to go on later, where the page is a live one.
setInterval(() => document.querySelectorAll("[data-follow]").forEach((part) => followed.has(part) || follow(part)), 2000);
