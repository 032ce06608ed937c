/* The terminal's colours, from the token sheet. */

const NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

export function theme() {
  const probe = document.createElement("span");
  document.body.append(probe);
  const colour = (token) => {
    probe.style.color = `var(${token})`;
    return getComputedStyle(probe).color;
  };
  const found = {
    background: colour("--bg"),
    foreground: colour("--text"),
    cursor: colour("--accent"),
    cursorAccent: colour("--bg"),
    selectionBackground: colour("--accent-soft"),
    selectionForeground: colour("--text"),
  };
  for (const name of NAMES) {
    found[name] = colour(`--ansi-${name}`);
    found[`bright${name[0].toUpperCase()}${name.slice(1)}`] = colour(`--ansi-bright-${name}`);
  }
  probe.remove();
  return found;
}

export function onThemeChange(act) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", act);
  new MutationObserver(act).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
}

export function monospace() {
  return getComputedStyle(document.documentElement).getPropertyValue("--mono").trim() || "monospace";
}
