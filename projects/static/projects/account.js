// The theme: kept in this browser under the key that Django's admin uses too.

const KEY = "theme";
const choice = document.getElementById("theme");

function kept() {
  try {
    return localStorage.getItem(KEY) ?? "auto";
  } catch {
    return null; // storage is refused
  }
}

function show(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

const now = kept();
if (now !== null) {
  choice.disabled = false;
  (choice.querySelector(`[value="${CSS.escape(now)}"]`) ?? choice.querySelector("[value=auto]")).checked = true;
  choice.addEventListener("change", (event) => {
    localStorage.setItem(KEY, event.target.value);
    show(event.target.value);
  });
}

document.getElementById("new-key")?.addEventListener("focus", (event) => event.target.select());
