/* The terminal's colours, from the token sheet. */

const NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

function colour(token) {
  const probe = document.createElement("span");
  probe.style.color = `var(${token})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

export function theme() {
  const found = {
    background: colour("--bg"),
    foreground: colour("--text"),
    cursor: colour("--accent"),
    cursorAccent: colour("--bg"),
    selectionBackground: colour("--accent-soft"),
    selectionInactiveBackground: colour("--accent"), // what the search is at, with its field in focus
    selectionForeground: colour("--text"),
  };
  for (const name of NAMES) {
    found[name] = colour(`--ansi-${name}`);
    found[`bright${name[0].toUpperCase()}${name.slice(1)}`] = colour(`--ansi-bright-${name}`);
  }
  return found;
}

/* What is found; the one that is looked at is selected. Borders are not drawn over a program's alternate screen, and tmux is one. */
export function marks() {
  const [found, current] = [hex("--warn-soft"), hex("--accent")];
  return { matchBackground: found, matchOverviewRuler: found, activeMatchColorOverviewRuler: current };
}

/* The search add-on takes no other form. */
function hex(token) {
  const [red, green, blue] = colour(token).match(/\d+/g).map((part) => Number(part).toString(16).padStart(2, "0"));
  return `#${red}${green}${blue}`;
}

export function onThemeChange(act) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", act);
  new MutationObserver(act).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
}

export function monospace() {
  return getComputedStyle(document.documentElement).getPropertyValue("--mono").trim() || "monospace";
}
