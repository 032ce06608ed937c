// "5 min ago" stays true while the page is open. The same words are made by projects/templatetags/hub.py.

const STEPS = [[60, "s", 1], [3600, "min", 60], [86400, "h", 3600], [Infinity, "d", 86400]];

function words(seconds) {
  const size = Math.abs(seconds);
  if (size < 10) return "now";
  const [, unit, per] = STEPS.find(([most]) => size < most);
  const text = `${Math.floor(size / per)} ${unit}`;
  return seconds > 0 ? `${text} ago` : `in ${text}`;
}

export function renewTimes() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const text = words((Date.now() - Date.parse(time.dateTime)) / 1000);
    if (time.textContent !== text) time.textContent = text;
  }
}
