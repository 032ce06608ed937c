/* xterm draws with <style> elements and, for true colours, style attributes. The page's policy wants a nonce on the first
   and forbids the second; setting the same through the style object is allowed. */

export function keepPolicy(nonce) {
  const create = Document.prototype.createElement;
  document.createElement = function (name, options) {
    const element = create.call(document, name, options);
    if (String(name).toLowerCase() === "style") element.nonce = nonce;
    return element;
  };
  HTMLSpanElement.prototype.setAttribute = function (name, value) {
    if (name === "style") this.style.cssText = value;
    else Element.prototype.setAttribute.call(this, name, value);
  };
}
