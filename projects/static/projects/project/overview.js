/* A project's page: charts of what it uses, each second while somebody looks, and its processes. */

import { toast } from "../page.js";
import { Charts, Series } from "./charts.js";
import { count, megabytes, percent, rate } from "./measures.js";
import "./questions.js";

const SECOND_MS = 1000;
const AWAY_MS = 5000;
const PROCESSES_MS = 3000;
const SECONDS = { "15m": 900, "1h": 3600, "24h": 86400, "14d": 1209600 };
const usage = document.getElementById("usage");
const { slug, range, memoryLimit, uplot } = usage.dataset;
const mark = document.getElementById("usage-live");

function say(kind, words) {
  mark.hidden = false;
  mark.className = `live ${kind}`;
  if (mark.textContent !== words) mark.textContent = words;
}

function now(key, text) {
  usage.querySelector(`[data-measure=${key}] [data-now]`).textContent = text;
}

function reading(item) {
  return {
    at: Date.parse(item.at) / 1000,
    cpu: item.cpu_percent,
    memory: item.memory_mb,
    rx: item.network_rx_mb * 1024,
    tx: item.network_tx_mb * 1024,
    disk: item.disk_percent,
  };
}

async function history() {
  const answer = await fetch(`/api/projects/${slug}/container/samples?range=${range}`, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(`The hub answered ${answer.status}.`);
  const found = await answer.json();
  const series = new Series(found.span_seconds, Number(memoryLimit), SECONDS[range]);
  found.items.forEach((item) => series.add(reading(item)));
  return { series, averaged: found.span_seconds > 0 };
}

async function draw() {
  const { series, averaged } = await history();
  const place = document.getElementById("charts");
  const { default: uPlot } = await import(uplot);
  place.hidden = false;
  const words = usage.querySelector("[data-range][aria-current]")?.textContent ?? "";
  for (const figure of place.querySelectorAll("figure")) {
    const box = figure.querySelector("div");
    box.setAttribute("role", "img");
    box.setAttribute("aria-label", `${figure.querySelector("figcaption").firstChild.textContent.trim()} over the last ${words}; the values stand in the table.`);
  }
  return { charts: new Charts(uPlot, place, series), series, averaged };
}

/* Rates of the table come from a series of its own, so that averages are not mixed with single seconds. */
async function follow(drawn) {
  const seconds = new Series(1, Number(memoryLimit), 60);
  for (;;) {
    let wait = SECOND_MS;
    const began = performance.now();
    if (!document.hidden) {
      try {
        const answer = await fetch("now.json", { credentials: "same-origin", headers: { Accept: "application/json" } });
        if (!answer.ok || answer.redirected) throw new Error();
        const found = await answer.json();
        if (found.reading) {
          const rates = seconds.add(found.reading);
          now("cpu", percent(found.reading.cpu));
          now("memory", megabytes(found.reading.memory));
          now("disk", percent(found.reading.disk));
          now("pids", count(found.reading.pids));
          now("rx", rate(rates.rx));
          now("tx", rate(rates.tx));
          if (drawn && !drawn.averaged) {
            drawn.series.add(found.reading);
            drawn.charts.renew();
          }
          say("on", "Each second");
        } else {
          for (const key of ["cpu", "memory", "disk", "pids", "rx", "tx"]) now(key, "–");
          say("", found.why);
          wait = AWAY_MS / 2;
        }
      } catch {
        say("off", "The hub does not answer");
        wait = AWAY_MS;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, Math.max(100, wait - (performance.now() - began))));
  }
}

function processes() {
  let shown = false;
  async function renew() {
    const old = document.getElementById("processes");
    const answer = await fetch("processes/", { credentials: "same-origin" });
    if (!answer.ok || answer.redirected) throw new Error();
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("processes");
    old.querySelector("tbody").replaceWith(document.importNode(fresh.querySelector("tbody"), true));
    old.querySelector("#processes-note").textContent = fresh.querySelector("#processes-note").textContent;
    old.querySelector("#processes-table").hidden = fresh.querySelector("#processes-table").hidden;
  }
  document.getElementById("processes-show").addEventListener("click", async (event) => {
    event.preventDefault();
    const button = event.currentTarget;
    shown = !shown;
    button.textContent = shown ? "Stop looking" : "Show";
    while (shown) {
      try {
        if (!document.hidden) await renew();
      } catch {
        toast("The hub did not answer, so the processes are those of a while ago; try again.", "warning");
        shown = false;
        button.textContent = "Show";
      }
      await new Promise((resolve) => setTimeout(resolve, PROCESSES_MS));
    }
  });
}

processes();
let drawn = null;
if (uplot) {
  try {
    drawn = await draw();
  } catch (error) {
    say("off", `The charts could not be drawn: ${error.message}`);
  }
}
follow(drawn);
