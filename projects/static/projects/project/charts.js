/* Four charts over the same time, by uPlot: CPU, memory with its limit, network, disk. */

import { megabytes, percent, rate } from "./measures.js";

const HEIGHT = 150;
const GAP_SPANS = 3;
const READING_SECONDS = 60;
const BINARY = Array.from({ length: 26 }, (_, place) => 2 ** place); // megabytes

function colours() {
  const probe = document.createElement("span");
  document.body.append(probe);
  const found = {};
  for (const name of ["accent", "muted", "line", "bad", "ok"]) {
    probe.style.color = `var(--${name})`;
    found[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return found;
}

const KINDS = {
  cpu: { show: percent, lines: [["CPU", "cpu"]], least: 10 },
  memory: { show: megabytes, lines: [["Memory", "memory"], ["Limit", "limit"]], steps: BINARY },
  network: { show: rate, lines: [["In", "rx"], ["Out", "tx"]], least: 1 },
  disk: { show: percent, lines: [["Disk", "disk"]], top: 100 },
};

/* Samples of the API as columns; network totals become rates, and a gap is a gap. */
export class Series {
  constructor(spanSeconds, memoryLimit, keptSeconds) {
    this.gap = GAP_SPANS * (spanSeconds || READING_SECONDS);
    this.memoryLimit = memoryLimit;
    this.keptSeconds = keptSeconds;
    this.at = [];
    this.columns = { cpu: [], memory: [], limit: [], rx: [], tx: [], disk: [] };
    this.before = null;
  }

  /* `reading` has at (seconds), cpu, memory, rx and tx (totals in kB), disk, of (the container). Its rates, for the table. */
  add(reading) {
    const { before } = this;
    const seconds = before ? reading.at - before.at : 0;
    if (before && seconds <= 0) return {};
    const joined = before && seconds <= this.gap && (!before.of || !reading.of || before.of === reading.of); // samples do not say of which
    if (before && !joined) this.#push(before.at + Math.min(1, seconds / 2), {});
    const perSecond = (key) => (joined && reading[key] >= before[key] ? (reading[key] - before[key]) / seconds : null);
    const rates = { rx: perSecond("rx"), tx: perSecond("tx") };
    this.#push(reading.at, { cpu: reading.cpu, memory: reading.memory, disk: reading.disk, ...rates });
    this.before = reading;
    while (this.at.length && this.at[0] < reading.at - this.keptSeconds) {
      this.at.shift();
      for (const column of Object.values(this.columns)) column.shift();
    }
    return rates;
  }

  #push(at, values) {
    this.at.push(at);
    for (const [key, column] of Object.entries(this.columns)) column.push(key === "limit" ? this.memoryLimit : (values[key] ?? null));
  }

  of(kind) {
    return [this.at, ...KINDS[kind].lines.map(([, key]) => this.columns[key])];
  }
}

export class Charts {
  constructor(uPlot, place, series) {
    this.uPlot = uPlot;
    this.place = place;
    this.series = series;
    this.drawn = {};
    this.#build();
    const again = () => this.#build();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
    new MutationObserver(again).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    new ResizeObserver(() => {
      for (const [kind, plot] of Object.entries(this.drawn)) plot.setSize({ width: this.#width(kind), height: HEIGHT });
    }).observe(place);
  }

  renew() {
    for (const [kind, plot] of Object.entries(this.drawn)) plot.setData(this.series.of(kind));
  }

  #box(kind) {
    return this.place.querySelector(`[data-chart=${kind}] > div`);
  }

  #width(kind) {
    return Math.max(120, Math.floor(this.#box(kind).clientWidth));
  }

  #build() {
    const colour = colours();
    for (const kind of Object.keys(KINDS)) {
      this.drawn[kind]?.destroy();
      this.drawn[kind] = new this.uPlot(this.#options(kind, colour), this.series.of(kind), this.#box(kind));
    }
  }

  #options(kind, colour) {
    const { show, lines, least = 0, top, steps } = KINDS[kind];
    const back = () => [Date.now() / 1000 - this.series.keptSeconds, Date.now() / 1000];
    const axis = { stroke: colour.muted, grid: { stroke: colour.line, width: 1 }, ticks: { stroke: colour.line, width: 1 }, font: "11px system-ui" };
    const second = kind === "memory" ? colour.bad : colour.ok;
    const stamp = "{YYYY}-{MM}-{DD} {HH}:{mm}:{ss}";
    return {
      width: this.#width(kind),
      height: HEIGHT,
      cursor: { sync: { key: "usage" }, drag: { x: false, y: false } },
      scales: { x: { range: back }, y: { range: (_, __, high) => [0, top ?? Math.max(least, (high ?? 0) * 1.1 || least || 1)] } },
      axes: [
        { ...axis, space: 70, size: 28, values: this.uPlot.fmtDate && [[86400, "{MM}-{DD}", null, null, null, null, null, null, 1], [60, "{HH}:{mm}", null, null, null, null, null, null, 1], [1, "{HH}:{mm}:{ss}", null, null, null, null, null, null, 1]] },
        { ...axis, size: 78, ...(steps && { incrs: steps }), values: (_, ticks) => ticks.map(show) },
      ],
      series: [
        { label: "Time", value: stamp },
        ...lines.map(([label], place) => ({
          label,
          stroke: place ? second : colour.accent,
          width: 1.5,
          dash: place ? [5, 4] : undefined,
          points: { show: false },
          value: (_, value) => show(value),
        })),
      ],
    };
  }
}
