/* xterm.js and its add-ons, from the addresses that the page gives: they have the names under which they were collected. */

import { settings } from "./settings.js";
import { monospace, theme } from "./theme.js";

const ATTEMPTS = 4;

let parts = null;

export async function load(places) {
  const [xterm, clipboard, fit, search, unicode, links] = await Promise.all(
    [places.assetXterm, places.assetClipboard, places.assetFit, places.assetSearch, places.assetUnicode11, places.assetWeb_links].map(persistently),
  );
  parts = { ...xterm, ...clipboard, ...fit, ...search, ...unicode, ...links };
}

/* A browser drops what it loads when a network interface comes or goes, and asks no second time for the same address. */
async function persistently(place) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await import(attempt === 1 ? place : `${place}?${attempt}`);
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, attempt * 500));
    }
  }
}

/* A terminal with its add-ons, not yet in the page. */
export function makeTerminal({ watchOnly }) {
  const terminal = new parts.Terminal({
    allowProposedApi: true,
    cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    disableStdin: watchOnly,
    fontFamily: monospace(),
    fontSize: settings.fontSize,
    linkHandler: { activate: follow },
    minimumContrastRatio: 4.5,
    screenReaderMode: settings.screenReader,
    scrollback: 5000,
    theme: theme(),
  });
  const fit = new parts.FitAddon();
  const search = new parts.SearchAddon();
  terminal.loadAddon(fit);
  terminal.loadAddon(search);
  terminal.loadAddon(new parts.Unicode11Addon());
  terminal.loadAddon(new parts.WebLinksAddon(follow));
  terminal.loadAddon(new parts.ClipboardAddon(undefined, { readText: () => "", writeText: write }));
  terminal.unicode.activeVersion = "11";
  return { terminal, fit, search };
}

/* What a program printed is not trusted: only the web, only with Ctrl or Cmd, and nothing of this page goes along. */
function follow(event, address) {
  if (!(event.ctrlKey || event.metaKey) || !/^https?:\/\//i.test(address)) return;
  window.open(address, "_blank", "noopener,noreferrer");
}

/* OSC 52, off until the user allows it. Reading the clipboard is never allowed. */
async function write(_selection, text) {
  if (settings.clipboard) await navigator.clipboard?.writeText(text);
}
