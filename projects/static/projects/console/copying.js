/* To this computer's clipboard. Raises an Error with a sentence where the browser does not let a page do that. */

export async function copy(text) {
  if (navigator.clipboard) await navigator.clipboard.writeText(text);
  else if (!copyOld(text)) throw new Error("This browser does not let a page copy; mark the text and copy it, or download it.");
}

/* Over plain http there is no navigator.clipboard. */
function copyOld(text) {
  const before = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  before?.focus();
  return done;
}
