/* Values as people read them. The same words are made by projects/templatetags/project.py. */

export const percent = (value) => (value == null ? "–" : `${value.toFixed(0)} %`);

export function megabytes(value) {
  if (value == null) return "–";
  return value >= 1024 ? `${Number((value / 1024).toPrecision(3))} GB` : `${value.toFixed(0)} MB`;
}

export function rate(value) {
  if (value == null) return "–";
  return value >= 1024 ? `${(value / 1024).toFixed(1)} MB/s` : `${value.toFixed(1)} kB/s`;
}

export const count = (value) => (value == null ? "–" : String(value));
