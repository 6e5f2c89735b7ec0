// The table of trials: sort by a click on a heading, filter by what is typed, see one trial's curve by a click on its row.
"use strict";
(function () {
  const data = JSON.parse(document.getElementById("trial-curves").textContent);
  const SVG = "http://www.w3.org/2000/svg";

  function element(name, attributes, parent, text) {
    const made = document.createElementNS(SVG, name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    if (text !== undefined) made.textContent = text;
    parent.appendChild(made);
    return made;
  }

  function valueOf(row, column) {
    const text = row.cells[column].textContent;
    const number = Number(text);
    return text !== "" && !Number.isNaN(number) ? number : text;
  }

  function compare(a, b) {
    const numbers = typeof a === "number" && typeof b === "number";
    if (numbers) return a - b;
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;  // numbers before dashes and words
    return a.localeCompare(b);
  }

  function sortBy(table, heading) {
    const column = heading.cellIndex;
    const direction = heading.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
    for (const other of heading.parentNode.cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", direction);
    const sign = direction === "ascending" ? 1 : -1;
    const body = table.tBodies[0];
    const rows = Array.from(body.rows).map((row) => [valueOf(row, column), row]);
    rows.sort((x, y) => sign * compare(x[0], y[0]));
    body.append(...rows.map((pair) => pair[1]));
  }

  function filter(browser) {
    const words = browser.querySelector("input").value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = Array.from(browser.querySelectorAll("tbody tr"));
    let shown = 0;
    for (const row of rows) {
      const text = Array.from(row.cells, (cell) => cell.textContent.toLowerCase()).join(" ");
      row.hidden = !words.every((word) => text.includes(word));
      shown += row.hidden ? 0 : 1;
    }
    browser.querySelector("output").textContent = shown + " of " + rows.length + " trials";
  }

  function drawCurve(browser, row) {
    const place = browser.querySelector(".curve");
    place.replaceChildren();
    for (const other of browser.querySelectorAll("tr.chosen")) other.classList.remove("chosen");
    row.classList.add("chosen");
    const cell = data[browser.dataset.cell];
    const scores = cell.scores[row.dataset.trial] || [];
    const points = scores.map((score, i) => [cell.shares[row.dataset.trial] ? cell.shares[row.dataset.trial][i] : cell.fractions[i], score])
      .filter((point) => point[1] !== null);
    const title = document.createElement("p");
    title.textContent = "Trial " + row.dataset.trial + ": " + cell.metric + " by share of the run" + (points.length ? "" : " (never scored)");
    place.appendChild(title);
    if (!points.length) return;
    const width = 420, height = 190, left = 52, bottom = 26, top = 8, right = 10;
    const low = cell.low, span = cell.high - cell.low || 1;
    const x = (share) => left + share * (width - left - right);
    const y = (score) => top + (1 - (score - low) / span) * (height - top - bottom);
    const svg = element("svg", { viewBox: "0 0 " + width + " " + height, role: "img", "aria-label": title.textContent }, place);
    for (const tick of [0, 0.25, 0.5, 0.75, 1]) {
      const level = low + tick * span;
      element("line", { x1: left, x2: width - right, y1: y(level), y2: y(level), stroke: "#e0e0e0" }, svg);
      element("text", { x: left - 5, y: y(level) + 4, "text-anchor": "end" }, svg, level.toFixed(3));
      element("text", { x: x(tick), y: height - 8, "text-anchor": "middle" }, svg, 100 * tick + " %");
    }
    element("polyline", { points: points.map((p) => x(p[0]) + "," + y(p[1])).join(" "), fill: "none", stroke: "#0072B2", "stroke-width": 1.8 }, svg);
    for (const point of points) {
      const dot = element("circle", { cx: x(point[0]), cy: y(point[1]), r: 2.6, fill: "#0072B2" }, svg);
      element("title", {}, dot, (100 * point[0]).toFixed(0) + " %: " + point[1]);
    }
  }

  for (const browser of document.querySelectorAll(".browser")) {
    const table = browser.querySelector("table");
    for (const heading of table.tHead.rows[0].cells) {
      heading.querySelector("button").addEventListener("click", () => sortBy(table, heading));
    }
    browser.querySelector("input").addEventListener("input", () => filter(browser));
    filter(browser);
    for (const row of table.tBodies[0].rows) {
      row.tabIndex = 0;
      row.addEventListener("click", () => drawCurve(browser, row));
      row.addEventListener("keydown", (event) => { if (event.key === "Enter") drawCurve(browser, row); });
    }
    browser.classList.add("ready");
  }
})();
