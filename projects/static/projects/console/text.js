/* Text on its way to and from a container. */

const encoder = new TextEncoder();

/* `text` as UTF-8 in pieces of at most `most` bytes, none of which ends inside a character. */
export function* pieces(text, most = 4000) {
  const bytes = encoder.encode(text);
  for (let start = 0; start < bytes.length; ) {
    let end = Math.min(start + most, bytes.length);
    while (end < bytes.length && (bytes[end] & 0xc0) === 0x80) end--;
    yield bytes.subarray(start, end);
    start = end;
  }
}

/* The text of one stream as a page shows it: no colours or cursor moves, every line's end a newline. What may still become an
   escape sequence is kept for the next piece. */
export class PlainText {
  #decoder = new TextDecoder();
  #rest = "";

  take(bytes) {
    let text = this.#rest + this.#decoder.decode(bytes, { stream: true });
    const open = /(?:\x1b(?:\[[0-9:;<=>?]*[ -/]*|\][^\x07\x1b]{0,2000}\x1b?|[ -/]*)?|\r)$/.exec(text);
    this.#rest = open ? open[0] : "";
    if (open) text = text.slice(0, open.index);
    return plain(text);
  }

  end() {
    const text = this.#rest + this.#decoder.decode();
    this.#rest = "";
    return plain(text);
  }
}

function plain(text) {
  return text
    .replace(/\x1b(?:\[[0-9:;<=>?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])/g, "")
    .replace(/\r\n?/g, "\n");
}

export function duration(seconds) {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  return hours ? `${hours} h ${minutes} min` : `${minutes} min ${whole % 60} s`;
}

export function ago(time) {
  const seconds = Math.max(0, (Date.now() - new Date(time).getTime()) / 1000);
  for (const [size, unit] of [[86400, "day"], [3600, "hour"], [60, "minute"]]) {
    const count = Math.floor(seconds / size);
    if (count) return `${count} ${unit}${count > 1 ? "s" : ""} ago`;
  }
  return "just now";
}
