/* What this browser remembers for every console. */

const KEY = "console";
const DEFAULTS = { fontSize: 14, screenReader: false, clipboard: false };

export const settings = { ...DEFAULTS, ...read() };

export function remember(changes) {
  Object.assign(settings, changes);
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch { /* a browser that keeps nothing: it holds until the page is left */ }
}

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}
